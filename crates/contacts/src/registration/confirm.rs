//! `POST /v1/registrations/{id}/confirm`

use api::Code;
use api::registration::{ConfirmRegistration, SignedIn, SubscriberShown};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::{RegistrationId, SessionId, SubscriberId};
use edge::{Json, Path, Problem};
use store::Tx;
use store::contacts::{CodeTried, NewSession};

use crate::Contacts;
use crate::consents::give::write_consent;
use crate::problem::Refused;

/// Proves the number by the code from the text, registers it, and signs this device in.
#[utoipa::path(post, path = "/v1/registrations/{id}/confirm", request_body = ConfirmRegistration,
    params(("id" = String, Path, description = "The registration's id.")),
    responses((status = 201, body = SignedIn), (status = "default", body = api::Problem)))]
pub async fn confirm(
    State(contacts): State<Contacts>,
    Path(id): Path<RegistrationId>,
    Json(body): Json<ConfirmRegistration>,
) -> Result<Response, Problem> {
    let world = &contacts.world;
    // 256 bits from the dice: there is nothing in it to guess or to read.
    let token = URL_SAFE_NO_PAD.encode(world.bytes::<32>());
    let device = body.device.as_deref().map(short_name).filter(|name| !name.is_empty());
    let session = NewSession { id: SessionId(world.uuid()), token: token.clone(), device };
    let fresh = SubscriberId(world.uuid());
    let now = world.now();
    let write = move |tx: &mut Tx<'_>| -> Result<Result<store::contacts::Subscriber, Problem>, Refused> {
        let tried = tx.contacts().try_code(id, &body.code)?;
        let (number, locale) = match proven(tried) {
            Ok(proven) => proven,
            // A wrong try is a write that must stay: it is counted.
            Err(problem) => return Ok(Err(problem)),
        };
        let subscriber = tx.contacts().sign_in(number, locale, fresh, &session)?;
        for given in &body.consents {
            write_consent(tx, subscriber.key, given.consent(), given.version().unwrap_or_default(), now)?;
        }
        Ok(Ok(subscriber))
    };
    let subscriber = contacts.store.write(write).await.map_err(Problem::from)??;
    let shown = SubscriberShown { id: subscriber.id, number: subscriber.number.e164() };
    Ok((StatusCode::CREATED, axum::Json(SignedIn { token, subscriber: shown })).into_response())
}

fn proven(tried: CodeTried) -> Result<(domain::Msisdn, domain::locale::Locale), Problem> {
    let (code, detail) = match tried {
        CodeTried::Right(number, locale) => return Ok((number, locale)),
        CodeTried::Unknown => {
            (Code::RegistrationExpired, "This registration is used up or replaced. Ask for a new code.")
        }
        CodeTried::Expired => (Code::RegistrationExpired, "The code's time has run out. Ask for a new one."),
        CodeTried::TooManyTries => {
            (Code::RegistrationTooManyTries, "Too many wrong codes. Ask for a new one.")
        }
        CodeTried::Wrong => {
            (Code::RegistrationWrongCode, "That is not the code. Look at the newest text and try again.")
        }
    };
    Err(Problem::new(code, detail))
}

/// A device's name is for its owner's eyes; 64 characters are enough.
fn short_name(name: &str) -> String {
    name.trim().chars().filter(|c| !c.is_control()).take(64).collect()
}
