//! `POST /one-time-password-sms/v1/validate-code`

use axum::body::Bytes;
use axum::extract::State;
use domain::ids::RegistrationId;
use edge::operator::Operator;
use http::StatusCode;
use serde::Deserialize;
use store::audit::{Actor, AuditAction, AuditEntry};
use store::contacts::CodeTried;
use store::{StoreError, Tx};

use super::refusal::Refusal;
use super::{apart, read};
use crate::Contacts;
use crate::registration::limits::{Attempt, Limited};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ValidateCode {
    authentication_id: String,
    code: String,
}

/// Source: `Code` and `AuthenticationId` of the document.
const CODE_CHARS_MAX: usize = 10;
const ID_CHARS_MAX: usize = 36;

pub(super) async fn validate(
    State(contacts): State<Contacts>,
    operator: Operator,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let ValidateCode { authentication_id, code } = read(&body)?;
    if authentication_id.chars().count() > ID_CHARS_MAX || code.chars().count() > CODE_CHARS_MAX {
        return Err(Refusal::argument("authenticationId or code is too long"));
    }
    let id: RegistrationId = authentication_id.parse().map_err(|_| Refusal::not_found())?;
    let rules = contacts.config.sign_in;
    let actor = Actor::Operator(operator.name().to_owned());
    // A wrong try is a write that must stay: a refusal is no error of the write.
    let write = move |tx: &mut Tx<'_>| -> Result<Result<CodeTried, Limited>, StoreError> {
        let Some(key) = tx.contacts().find_attempt(id)? else { return Ok(Ok(CodeTried::Unknown)) };
        let attempt = Attempt::of(key);
        if let Some(limited) = rules.keep_from_try(tx, &attempt)? {
            return Ok(Err(limited));
        }
        let tried = tx.contacts().try_code(id, &apart(&code), rules.tries_per_code)?;
        if matches!(tried, CodeTried::Wrong { .. }) {
            rules.count_wrong(tx, &attempt)?;
        }
        if matches!(tried, CodeTried::Right(..)) {
            tx.audit().append(&AuditEntry::new(actor.clone(), AuditAction::CodeProven).about(key))?;
        }
        Ok(Ok(tried))
    };
    match contacts.store.write(write).await? {
        Err(limited) => Err(Refusal::limited(limited, contacts.world.now())),
        Ok(CodeTried::Right(..)) => Ok(StatusCode::NO_CONTENT),
        Ok(CodeTried::Unknown) => Err(Refusal::not_found()),
        Ok(CodeTried::Expired) => Err(Refusal::expired()),
        Ok(CodeTried::TooManyTries | CodeTried::Wrong { last: true }) => Err(Refusal::failed()),
        Ok(CodeTried::Wrong { last: false }) => Err(Refusal::wrong()),
    }
}
