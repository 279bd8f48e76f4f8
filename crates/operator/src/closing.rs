//! What is closed when a number gets a new owner, whoever says so: the operator, the network at sign-in, or
//! the journal after a backup was restored.

use domain::key::ContactKey;
use serde::Serialize;
use serde_json::json;
use store::audit::{Actor, AuditAction, AuditEntry};
use store::erasures::{Erased, Erasure};
use store::jobs::JobKind;
use store::{StoreError, Tx};

use crate::{Parts, PlatformDesk};

/// What of the former owner was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Closed {
    /// Whether there was an account.
    pub account: bool,
    /// Subscriptions that were live.
    pub subscriptions: usize,
    /// Orders that were open.
    pub orders: usize,
}

/// Closes everything of a number's owner in this write, and writes it down so that a restored backup closes
/// it again.
///
/// # Errors
/// The store's.
pub fn close_for_new_owner(
    tx: &mut Tx<'_>,
    parts: &Parts,
    key: ContactKey,
    actor: &Actor,
) -> Result<(Closed, Erasure), StoreError> {
    let erasure = tx.erasures().record(Erased::Owner, key)?;
    Ok((close(tx, parts, &erasure, actor)?, erasure))
}

/// Closes what an owner had when an erasure was written down: the account with its book, matches, shares,
/// devices and orders, texts not yet sent, subscriptions, bars. No text goes out. What others wrote about the
/// number, hiding it for one, stays theirs. Each process closes what is its roles': a platform elsewhere is told by a
/// job where it wants to be, and knows of its customers' changes where not.
///
/// # Errors
/// The store's.
pub fn close(tx: &mut Tx<'_>, parts: &Parts, erasure: &Erasure, actor: &Actor) -> Result<Closed, StoreError> {
    let (key, before) = (erasure.key, erasure.until());
    let account = if parts.accounts { tx.contacts().find_proof(key)? } else { None };
    // Who came later keeps what is theirs.
    let newer = account.is_some_and(|proof| proof.since >= before);
    if parts.accounts && !newer {
        tx.exchange().erase_person(key)?;
        tx.contacts().erase_subscriber(key)?;
    }
    if parts.tells_platform {
        let topic = key.value().to_string();
        tx.jobs().drop_topic(JobKind::SyncSubscriptions, &topic)?;
        tx.jobs().enqueue_topic(
            JobKind::EraseCustomer,
            &topic,
            &json!({ "erasure": erasure.id }),
            erasure.at,
        )?;
    }
    if !newer {
        tx.texts().silence(key)?;
    }
    let platform: Option<&dyn PlatformDesk> = parts.platform.as_deref();
    let ended = platform.map(|platform| platform.end_customer(tx, key, actor, before)).transpose()?;
    let ended = ended.unwrap_or_default();
    let closed = Closed {
        account: account.is_some() && !newer,
        subscriptions: ended.subscriptions,
        orders: ended.orders,
    };
    let entry = AuditEntry::new(actor.clone(), AuditAction::NewOwner)
        .about(key)
        .with("account", closed.account)
        .with("subscriptions", closed.subscriptions)
        .with("orders", closed.orders);
    tx.audit().append(&entry)?;
    // From here on the log says all this of nobody.
    tx.audit().unlink(key)?;
    Ok(closed)
}
