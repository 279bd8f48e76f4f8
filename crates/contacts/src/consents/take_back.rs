//! `DELETE /v1/consents/{consent}`

use axum::extract::State;
use axum::http::StatusCode;
use domain::consent::Consent;
use edge::{Caller, Path, Problem};
use store::Tx;
use store::audit::{AuditAction, AuditEntry};

use crate::Contacts;
use crate::problem::{Refused, still_signed_in};

/// Takes a consent back: the book goes with `upload`, subscriptions and shares go with `subscriptions`.
#[utoipa::path(delete, path = "/v1/consents/{consent}", operation_id = "takeBackConsent", security(("token" = [])),
    params(("consent" = inline(api::schema::ConsentName), Path, description = "Which one.")),
    responses((status = 204)))]
pub async fn take_back(
    State(contacts): State<Contacts>,
    caller: Caller,
    Path(consent): Path<Consent>,
) -> Result<StatusCode, Problem> {
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        still_signed_in(tx, &caller)?;
        tx.contacts().take_back_consent(caller.key, consent)?;
        let entry = AuditEntry::by(caller.key, AuditAction::ConsentTakenBack).with("consent", consent.word());
        tx.audit().append(&entry)?;
        match consent {
            Consent::Upload => tx.contacts().forget_book(caller.key)?,
            Consent::Subscriptions => tx.exchange().forget_subscriptions(caller.key)?,
            Consent::Recommendations => {}
        }
        Ok(())
    };
    contacts.store.write(write).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}
