//! `DELETE /v1/me`

use axum::extract::State;
use axum::http::StatusCode;
use edge::{Caller, Problem};
use serde_json::json;
use store::audit::{AuditAction, AuditEntry};
use store::erasures::{Erased, Erasure};
use store::jobs::JobKind;
use store::{StoreError, Tx};

use crate::Contacts;
use crate::problem::{Refused, still_signed_in};

/// Erases the account and everything held about it here, in one commit; the platform erases its part by a job,
/// and ends what was subscribed to.
#[utoipa::path(delete, path = "/v1/me", operation_id = "eraseMe", security(("token" = [])),
    responses((status = 204)))]
pub async fn erase(State(contacts): State<Contacts>, caller: Caller) -> Result<StatusCode, Problem> {
    let write = move |tx: &mut Tx<'_>| -> Result<Erasure, Refused> {
        // Of two that come at once, one erases; and a number may have got a new owner since the token was looked up.
        still_signed_in(tx, &caller)?;
        let erasure = tx.erasures().record(Erased::Account, caller.key)?;
        erase_account(tx, &erasure)?;
        Ok(erasure)
    };
    let erasure = contacts.store.write(write).await.map_err(Problem::from)?;
    // Only what a restored backup would erase again is acknowledged.
    contacts.store.journal(&erasure).await.map_err(|error| Problem::from(Refused::from(error)))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Erases the account that there was when an erasure was written down, and has the platform erase its part.
///
/// # Errors
/// The store's.
pub fn erase_account(tx: &mut Tx<'_>, erasure: &Erasure) -> Result<(), StoreError> {
    let Erasure { id, key, at, .. } = *erasure;
    // Who came back later keeps what is theirs.
    if tx.contacts().find_proof(key)?.is_none_or(|proof| proof.since < erasure.until()) {
        tx.exchange().erase_person(key)?;
        tx.contacts().erase_subscriber(key)?;
        tx.texts().silence(key)?;
    }
    let topic = key.value().to_string();
    tx.jobs().drop_topic(JobKind::SyncSubscriptions, &topic)?;
    tx.jobs().enqueue_topic(JobKind::EraseCustomer, &topic, &json!({ "erasure": id }), at)?;
    tx.audit().append(&AuditEntry::by(key, AuditAction::Erased))?;
    // The log goes on to hold what was decided, about nobody.
    tx.audit().unlink(key)
}
