//! `POST /v1/registrations`

use api::Code;
use api::registration::{BeginRegistration, RegistrationBegun};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::ids::{RegistrationId, TextId};
use domain::locale::Locale;
use domain::world::after_seconds;
use domain::{Msisdn, limits, number, texts};
use edge::{Json, Problem};
use store::Tx;
use store::contacts::NewRegistration;
use store::texts::{NewText, TextPurpose};

use crate::Contacts;
use crate::problem::Refused;

/// Sends a sign-in code to a number by text.
#[utoipa::path(post, path = "/v1/registrations", request_body = BeginRegistration,
    responses((status = 202, body = RegistrationBegun), (status = "default", body = api::Problem)))]
pub async fn begin(
    State(contacts): State<Contacts>,
    Json(body): Json<BeginRegistration>,
) -> Result<Response, Problem> {
    let number = contacts.read_own_number(&body.number)?;
    if !contacts.link.is_up() {
        return Err(Problem::new(
            Code::RegistrationTextUnavailable,
            "No text can go out just now. Try again in a minute.",
        )
        .retry_after_s(60));
    }
    let world = &contacts.world;
    let code = format!("{:06}", world.below(1_000_000));
    let locale = body.locale.as_deref().map_or(Locale::default(), Locale::nearest);
    let expires = after_seconds(world.now(), limits::SIGN_IN_CODE_S);
    let registration =
        NewRegistration { id: RegistrationId(world.uuid()), number, locale, code: code.clone(), expires };
    let text = NewText {
        id: TextId(world.uuid()),
        purpose: TextPurpose::SignIn,
        to: number,
        suffix: String::new(),
        body: texts::sign_in(locale, &code),
        not_after: expires,
        reference: None,
    };
    let id = registration.id;
    let now = world.now();
    let key = contacts.store.keys().contact_key(number);
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        let hour_ago = after_seconds(now, -3_600);
        let (sent, last) = tx.texts().count_since(key, TextPurpose::SignIn, hour_ago)?;
        refuse_too_many(sent, last.map(|last| now.duration_since(last).as_secs()))?;
        tx.contacts().begin_registration(&registration)?;
        Ok(tx.texts().enqueue(&text)?)
    };
    contacts.store.write(write).await.map_err(Problem::from)?;
    let begun = RegistrationBegun {
        registration_id: id,
        expires_at: expires,
        resend_after_s: limits::SIGN_IN_RESEND_S,
    };
    Ok((StatusCode::ACCEPTED, axum::Json(begun)).into_response())
}

/// The store keeps every text's row, so that the limit holds across restarts.
fn refuse_too_many(sent_in_hour: i64, seconds_since_last: Option<i64>) -> Result<(), Problem> {
    let too_many = |wait_s: i64| {
        let detail = format!("A code was sent to this number already. Ask for another in {wait_s} seconds.");
        Err(Problem::new(Code::RegistrationTooManyTexts, detail).retry_after_s(wait_s.unsigned_abs()))
    };
    match seconds_since_last {
        Some(seconds) if seconds < limits::SIGN_IN_RESEND_S => {
            too_many(limits::SIGN_IN_RESEND_S - seconds.max(0))
        }
        Some(_) if sent_in_hour >= limits::SIGN_IN_TEXTS_HOUR_MAX => too_many(3_600),
        _ => Ok(()),
    }
}

impl Contacts {
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
