//! `POST /one-time-password-sms/v1/send-code`

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use domain::Msisdn;
use domain::ids::{RegistrationId, TextId};
use domain::locale::Locale;
use domain::world::after_seconds;
use edge::operator::Operator;
use serde::Deserialize;
use serde_json::{Value, json};
use store::audit::{Actor, AuditAction, AuditEntry};
use store::contacts::NewRegistration;
use store::texts::{NewText, TextPurpose};
use store::{StoreError, Tx};

use super::refusal::Refusal;
use super::{apart, read};
use crate::Contacts;
use crate::registration::limits::{Attempt, Limited};

/// Where the code goes in the message. Source: `Message` of the document.
const LABEL: &str = "{{code}}";
const MESSAGE_CHARS_MAX: usize = 160;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SendCode {
    phone_number: String,
    message: String,
}

pub(super) async fn send(
    State(contacts): State<Contacts>,
    operator: Operator,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let SendCode { phone_number, message } = read(&body)?;
    if !message.contains(LABEL) || message.chars().count() > MESSAGE_CHARS_MAX {
        return Err(Refusal::argument("message must hold {{code}} and have 160 characters at most"));
    }
    let number = Msisdn::parse_e164(&phone_number)
        .map_err(|_| Refusal::argument("phoneNumber must be a number in E.164, with its +"))?;
    if !contacts.config.prefixes.iter().any(|prefix| phone_number.starts_with(prefix)) {
        return Err(Refusal::not_served());
    }
    let (world, limits) = (&contacts.world, contacts.config.sign_in);
    if !contacts.link.sends_within(Duration::from_secs(limits.code_life_s.unsigned_abs())) {
        return Err(Refusal::no_link());
    }
    let code = format!("{:06}", world.below(1_000_000));
    let expires = after_seconds(world.now(), limits.code_life_s);
    let id = RegistrationId(world.uuid());
    let registration = NewRegistration { id, number, locale: Locale::default(), code: apart(&code), expires };
    let text = NewText {
        id: TextId(world.uuid()),
        purpose: TextPurpose::SignIn,
        to: number,
        suffix: String::new(),
        body: message.replace(LABEL, &code),
        not_after: expires,
        reference: None,
    };
    let key = contacts.store.keys().contact_key(number);
    // The operator's client asks for many people from one place: what counts is the number.
    let attempt = Attempt::of(key);
    let actor = Actor::Operator(operator.name().to_owned());
    let write = move |tx: &mut Tx<'_>| -> Result<Option<Limited>, StoreError> {
        if let Some(limited) = limits.keep_from_text(tx, &attempt)? {
            return Ok(Some(limited));
        }
        tx.contacts().begin_registration(&registration)?;
        tx.texts().enqueue(&text)?;
        limits.count_text(tx, &attempt)?;
        tx.audit().append(&AuditEntry::new(actor.clone(), AuditAction::CodeSent).about(key))?;
        Ok(None)
    };
    match contacts.store.write(write).await? {
        Some(limited) => Err(Refusal::limited(limited, world.now())),
        None => Ok(Json(json!({ "authenticationId": id.to_string() }))),
    }
}
