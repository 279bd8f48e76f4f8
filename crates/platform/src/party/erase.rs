//! DELETE individual/{number}: a person is erased, as they were before a moment.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use domain::Msisdn;
use domain::order::Reason;
use edge::operator::Operator;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use store::audit::{Actor, AuditAction, AuditEntry};
use store::erasures::{Erased, Erasure};
use store::{StoreError, Tx};
use uuid::Uuid;

use crate::Platform;
use crate::auth::actor;
use crate::refusal::Refusal;

/// Which erasure this is part of, and from which moment on nothing is touched; by default a new one, and now.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    erasure: Option<Uuid>,
    before: Option<Timestamp>,
}

pub(crate) async fn erase(
    State(platform): State<Platform>,
    operator: Operator,
    Path(id): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<StatusCode, Refusal> {
    let number = Msisdn::parse_e164(&id).map_err(|_| Refusal::not_found())?;
    let Query(asked) = asked.map_err(|_| Refusal::query("only 'erasure' and 'before' are known here"))?;
    let (world, actor) = (platform.world.clone(), actor(&operator));
    let key = platform.store.keys().contact_key(number);
    // The moment named is the first that is spared.
    let last = asked.before.and_then(|before| before.checked_sub(SignedDuration::from_millis(1)).ok());
    let at = last.map_or(world.now(), |last| last.min(world.now()));
    let id = asked.erasure.unwrap_or_else(|| world.uuid());
    let erasure = Erasure { id, what: Erased::Customer, key, at };
    let store = platform.store.clone();
    let write = move |tx: &mut Tx<'_>| erase_customer(&platform, tx, &erasure, &actor);
    store.write::<_, StoreError, _>(write).await?;
    store.journal(&erasure).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Erases what the platform had of a customer when an erasure was written down, and writes its own part down.
///
/// # Errors
/// The store's.
pub fn erase_customer(
    platform: &Platform,
    tx: &mut Tx<'_>,
    erasure: &Erasure,
    actor: &Actor,
) -> Result<(), StoreError> {
    tx.erasures().record_again(erasure)?;
    let (key, before) = (erasure.key, erasure.until());
    let (subscriptions, orders) = platform.end_customer(tx, key, actor, Reason::UserCancelled, before)?;
    // Who came back meanwhile goes on getting texts.
    if tx.platform().find_customer(key)?.is_none() && tx.contacts().find_proof(key)?.is_none() {
        tx.texts().silence(key)?;
    }
    let entry = AuditEntry::new(actor.clone(), AuditAction::Erased)
        .about(key)
        .with("subscriptions", subscriptions)
        .with("orders", orders);
    tx.audit().append(&entry)?;
    // From here on the log says all this of nobody.
    tx.audit().unlink(key)
}
