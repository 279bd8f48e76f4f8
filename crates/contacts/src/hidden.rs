//! `PUT, DELETE /v1/hidden/{number}`: two people invisible to each other; the other cannot tell.

use api::Code;
use axum::extract::State;
use axum::http::StatusCode;
use domain::key::ContactKey;
use domain::{limits, number};
use edge::{Caller, Path, Problem};
use store::Tx;
use store::audit::{AuditAction, AuditEntry};

use crate::Contacts;
use crate::books::tell_match;
use crate::problem::{Refused, still_signed_in};

/// Hides the caller and another person from each other, whether or not they match.
#[utoipa::path(put, path = "/v1/hidden/{number}", operation_id = "hide", security(("token" = [])),
    params(("number" = String, Path, description = "The other's number, in any reading.")),
    responses((status = 204),
        (status = 422, description = "The number cannot be read, or too many are hidden")))]
pub async fn hide(
    State(contacts): State<Contacts>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<StatusCode, Problem> {
    let other = contacts.read_other(&number)?;
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        still_signed_in(tx, &caller)?;
        if tx.contacts().count_hidden(caller.key)? >= limits::HIDDEN_MAX {
            let detail = "You hide as many people as is possible. Show somebody again first.";
            return Err(Problem::new(Code::RequestInvalid, detail).into());
        }
        tx.contacts().hide(caller.key, other)?;
        Ok(tx.audit().append(&AuditEntry::by(caller.key, AuditAction::Hidden))?)
    };
    contacts.store.write(write).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a hiding back.
#[utoipa::path(delete, path = "/v1/hidden/{number}", operation_id = "showAgain", security(("token" = [])),
    params(("number" = String, Path, description = "The other's number, in any reading.")),
    responses((status = 204),
        (status = 422, description = "The number cannot be read")))]
pub async fn show(
    State(contacts): State<Contacts>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<StatusCode, Problem> {
    let other = contacts.read_other(&number)?;
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        still_signed_in(tx, &caller)?;
        if tx.contacts().show(caller.key, other)? {
            // To the other it is a match like any: nothing says that it was hidden for a time.
            tell_match(tx, caller.key, other)?;
        }
        Ok(tx.audit().append(&AuditEntry::by(caller.key, AuditAction::Unhidden))?)
    };
    contacts.store.write(write).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}

impl Contacts {
    fn read_other(&self, raw: &str) -> Result<ContactKey, Problem> {
        let number = number::read_own(raw, self.config.region).map_err(|refusal| {
            Problem::new(Code::RequestInvalid, refusal.hint()).field("number", refusal.hint())
        })?;
        Ok(self.store.keys().contact_key(number))
    }
}
