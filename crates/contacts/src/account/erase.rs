//! `DELETE /v1/me`

use axum::extract::State;
use axum::http::StatusCode;
use edge::{Caller, Problem};
use store::Tx;
use store::audit::{AuditAction, AuditEntry};

use crate::Contacts;
use crate::problem::Refused;

/// Erases the account and everything held about it here, in one commit.
#[utoipa::path(delete, path = "/v1/me", operation_id = "eraseMe", security(("token" = [])),
    responses((status = 204)))]
pub async fn erase(State(contacts): State<Contacts>, caller: Caller) -> Result<StatusCode, Problem> {
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        tx.exchange().erase_person(caller.key)?;
        tx.contacts().erase_subscriber(caller.key)?;
        tx.audit().append(&AuditEntry::by(caller.key, AuditAction::Erased))?;
        // The log goes on to hold what was decided, about nobody.
        Ok(tx.audit().unlink(caller.key)?)
    };
    contacts.store.write(write).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}
