//! `PUT /v1/consents/{consent}`

use api::consents::GiveConsent;
use axum::extract::State;
use axum::http::StatusCode;
use domain::consent::Consent;
use domain::key::ContactKey;
use edge::{Caller, Json, Path, Problem};
use jiff::Timestamp;
use serde_json::json;
use store::audit::{AuditAction, AuditEntry};
use store::jobs::JobKind;
use store::{StoreError, Tx};

use crate::Contacts;
use crate::problem::{Refused, still_signed_in};

/// Gives a consent, with the version of the text that was shown.
#[utoipa::path(put, path = "/v1/consents/{consent}", operation_id = "giveConsent",
    request_body = GiveConsent, security(("token" = [])),
    params(("consent" = inline(api::schema::ConsentName), Path, description = "Which one.")),
    responses((status = 204)))]
pub async fn give(
    State(contacts): State<Contacts>,
    caller: Caller,
    Path(consent): Path<Consent>,
    Json(body): Json<GiveConsent>,
) -> Result<StatusCode, Problem> {
    let version = body.version.unwrap_or_default();
    let now = contacts.world.now();
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        still_signed_in(tx, &caller)?;
        Ok(write_consent(tx, caller.key, consent, &version, now)?)
    };
    contacts.store.write(write).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writes a consent down; to keep subscriptions in step starts with a first look at the platform.
pub(crate) fn write_consent(
    tx: &mut Tx<'_>,
    key: ContactKey,
    consent: Consent,
    version: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.contacts().give_consent(key, consent, version)?;
    let entry = AuditEntry::by(key, AuditAction::ConsentGiven).with("consent", consent.word());
    tx.audit().append(&entry)?;
    if consent == Consent::Subscriptions {
        let topic = key.value().to_string();
        tx.jobs().enqueue_topic(JobKind::SyncSubscriptions, &topic, &json!({ "key": key.value() }), now)?;
    }
    Ok(())
}
