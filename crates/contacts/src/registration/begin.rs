//! `POST /v1/registrations`

use std::time::Duration;

use api::Code;
use api::registration::{BeginRegistration, RegistrationBegun};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::ids::{RegistrationId, TextId};
use domain::locale::Locale;
use domain::world::after_seconds;
use domain::{Msisdn, limiter, number, texts};
use edge::{Json, Peer, Problem};
use jiff::Timestamp;
use store::contacts::NewRegistration;
use store::texts::{NewText, TextPurpose};
use store::{StoreError, Tx};

use super::limits::Limited;
use crate::Contacts;
use crate::problem::Refused;

/// Sends a sign-in code to a number by text.
#[utoipa::path(post, path = "/v1/registrations", operation_id = "beginRegistration",
    request_body = BeginRegistration,
    responses((status = 202, body = RegistrationBegun, links(("confirm" = (operation_id = "confirmRegistration",
        parameters(("id" = "$response.body#/registration_id")))))),
        (status = 422, description = "The number cannot be read, or is not served here"),
        (status = 429, description = "Too many texts to this number")))]
pub async fn begin(
    State(contacts): State<Contacts>,
    peer: Peer,
    Json(body): Json<BeginRegistration>,
) -> Result<Response, Problem> {
    let number = contacts.read_own_number(&body.number)?;
    // A code that comes when it is worth nothing any more is worse than none.
    let life = Duration::from_secs(contacts.config.sign_in.code_life_s.unsigned_abs());
    if !contacts.link.sends_within(life) {
        return Err(Problem::new(
            Code::RegistrationTextUnavailable,
            "No text can go out just now. Try again in a minute.",
        )
        .retry_after_s(60));
    }
    let world = &contacts.world;
    let limits = contacts.config.sign_in;
    let code = format!("{:06}", world.below(1_000_000));
    let locale = body.locale.as_deref().map_or(Locale::default(), Locale::nearest);
    let now = world.now();
    let expires = after_seconds(now, limits.code_life_s);
    let registration =
        NewRegistration { id: RegistrationId(world.uuid()), number, locale, code: code.clone(), expires };
    let text = NewText {
        id: TextId(world.uuid()),
        purpose: TextPurpose::SignIn,
        to: number,
        suffix: String::new(),
        body: texts::sign_in(locale, &code, limits.code_life_s / 60),
        not_after: expires,
        reference: None,
    };
    let id = registration.id;
    let attempt = limits.attempt(contacts.store.keys().contact_key(number), &peer);
    let write = move |tx: &mut Tx<'_>| -> Result<Result<Option<Timestamp>, Limited>, StoreError> {
        // What a limiter sets right must stay, so a refusal is no error of the write.
        if let Some(limited) = limits.keep_from_text(tx, &attempt)? {
            return Ok(Err(limited));
        }
        tx.contacts().begin_registration(&registration)?;
        tx.texts().enqueue(&text)?;
        limits.count_text(tx, &attempt).map(Ok)
    };
    let next = match contacts.store.write(write).await.map_err(|error| Problem::from(Refused::from(error)))? {
        Ok(next) => next,
        Err(limited) => return Err(contacts.refuse(limited, now)),
    };
    let begun = RegistrationBegun {
        registration_id: id,
        expires_at: expires,
        resend_after_s: next.map_or(0, |next| limiter::wait_s(now, next).cast_signed()),
    };
    Ok((StatusCode::ACCEPTED, axum::Json(begun)).into_response())
}

impl Contacts {
    /// The refusal; where nobody can sign in any more, somebody must act.
    pub(super) fn refuse(&self, limited: Limited, now: Timestamp) -> Problem {
        let limits = &self.config.sign_in;
        if matches!(limited, Limited::Texts(_)) && self.alarms.texts.is_due(now) {
            tracing::error!(
                registration.texts_per_hour = limits.texts_per_hour,
                "as many sign-in texts were asked for in an hour as are allowed in all, and nobody gets one now: \
                 look for an attack, or raise registration.texts_per_hour"
            );
        }
        if matches!(limited, Limited::WrongAll(_)) && self.alarms.wrong_codes.is_due(now) {
            tracing::error!(
                registration.wrong_codes_per_hour = limits.wrong_codes_per_hour,
                "as many wrong codes were tried in an hour as are allowed in all, and nobody can sign in now: \
                 look for an attack, or raise registration.wrong_codes_per_hour"
            );
        }
        limited.problem(now)
    }

    fn read_own_number(&self, raw: &str) -> Result<Msisdn, Problem> {
        let number = number::read_own(raw, self.config.region).map_err(|refusal| {
            Problem::new(Code::RegistrationNumberUnreadable, refusal.hint()).field("number", refusal.hint())
        })?;
        let e164 = number.e164();
        if self.config.prefixes.iter().any(|prefix| e164.starts_with(prefix)) {
            return Ok(number);
        }
        let detail = "This operator does not serve that number. Register with a number of this operator.";
        Err(Problem::new(Code::RegistrationNumberNotServed, detail).field("number", detail))
    }
}
