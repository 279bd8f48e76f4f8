//! `POST /v1/registrations/{id}/confirm`

use std::collections::BTreeMap;

use api::Code;
use api::registration::{ConfirmRegistration, SignedIn, SubscriberShown};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::consent::Consent;
use domain::ids::{RegistrationId, SessionId, SubscriberId};
use domain::limits;
use edge::{Json, Path, Peer, Problem};
use store::audit::{AuditAction, AuditEntry};
use store::contacts::{CodeTried, NewSession, Subscriber};
use store::erasures::Erasure;
use store::{StoreError, Tx};

use super::former::{Entry, Question, ROUNDS_MAX, Word, held};
use super::limits::Limited;
use crate::Contacts;
use crate::consents::give::write_consent;
use crate::problem::Refused;

/// Proves the number by the code from the text, registers it, and signs this device in.
#[utoipa::path(post, path = "/v1/registrations/{id}/confirm", operation_id = "confirmRegistration",
    request_body = ConfirmRegistration,
    params(("id" = String, Path, format = "uuid", description = "The registration's id.")),
    responses((status = 201, body = SignedIn),
        (status = 403, description = "The code is wrong"),
        (status = 410, description = "The registration is over"),
        (status = 429, description = "Too many wrong codes"),
        (status = 503, description = "The operator's network does not say whether the number got a new owner")))]
pub async fn confirm(
    State(contacts): State<Contacts>,
    peer: Peer,
    Path(id): Path<RegistrationId>,
    Json(body): Json<ConfirmRegistration>,
) -> Result<Response, Problem> {
    if body.consents.len() > limits::count(limits::CONSENTS_GIVEN_MAX) {
        let detail = format!("Give {} consents at most, each once.", limits::CONSENTS_GIVEN_MAX);
        return Err(Problem::new(Code::RequestInvalid, detail.clone()).field("consents", detail));
    }
    // Each is given once, however often it stands there: with the version that stands last.
    let consents: BTreeMap<Consent, String> = body
        .consents
        .iter()
        .map(|given| (given.consent(), given.version().unwrap_or_default().to_owned()))
        .collect();
    let world = &contacts.world;
    // 256 bits from the dice: there is nothing in it to guess or to read.
    let token = URL_SAFE_NO_PAD.encode(world.bytes::<32>());
    let device = body.device.as_deref().map(short_name).filter(|name| !name.is_empty());
    let session = NewSession { id: SessionId(world.uuid()), token: token.clone(), device };
    let confirming =
        Confirming { id, code: body.code, peer, fresh: SubscriberId(world.uuid()), session, consents };
    let mut word = Word::NotAsked;
    for _ in 0..ROUNDS_MAX {
        let (role, confirming) = (contacts.clone(), confirming.clone());
        let written = contacts.store.write(move |tx: &mut Tx<'_>| confirming.sign_in(&role, tx, word)).await;
        match written {
            Ok(Ok((subscriber, closed))) => {
                if let Some(erasure) = closed {
                    contacts
                        .store
                        .journal(&erasure)
                        .await
                        .map_err(|error| Problem::from(Refused::from(error)))?;
                }
                let shown = SubscriberShown { id: subscriber.id, number: subscriber.number.e164() };
                return Ok(
                    (StatusCode::CREATED, axum::Json(SignedIn { token, subscriber: shown })).into_response()
                );
            }
            Ok(Err(NotIn::Limited(limited))) => return Err(contacts.refuse(limited, world.now())),
            Ok(Err(NotIn::Code(tried))) => return Err(refuse(tried)),
            Ok(Err(NotIn::Held)) => return Err(held()),
            Err(Stopped::Ask(question)) => word = contacts.ask(question).await,
            Err(Stopped::Store(error)) => return Err(Refused::from(error).into()),
        }
    }
    // The account changed hands between each question and its answer.
    Err(held())
}

/// All that one confirmation brings; its write may run more than once.
#[derive(Clone)]
struct Confirming {
    id: RegistrationId,
    code: String,
    peer: Peer,
    fresh: SubscriberId,
    session: NewSession,
    consents: BTreeMap<Consent, String>,
}

impl Confirming {
    /// Tries the code and signs the device in. A wrong try is a write that must stay: a refusal is no error of
    /// the write. A question to the network is one, and leaves the code as it was.
    fn sign_in(
        &self,
        contacts: &Contacts,
        tx: &mut Tx<'_>,
        word: Word,
    ) -> Result<Result<(Subscriber, Option<Erasure>), NotIn>, Stopped> {
        let (id, rules) = (self.id, contacts.config.sign_in);
        let Some(number) = tx.contacts().find_attempt(id)? else {
            return Ok(Err(NotIn::Code(CodeTried::Unknown)));
        };
        let attempt = rules.attempt(number, &self.peer);
        if let Some(limited) = rules.keep_from_try(tx, &attempt)? {
            return Ok(Err(NotIn::Limited(limited)));
        }
        let tried = tx.contacts().try_code(id, &self.code, rules.tries_per_code)?;
        let CodeTried::Right(number, locale) = tried else {
            let mut limited = None;
            if matches!(tried, CodeTried::Wrong { .. }) {
                rules.count_wrong(tx, &attempt)?;
                // That nobody may try any more is said to the next one: this code was looked at.
                limited = rules.keep_from_try(tx, &attempt)?.filter(|limited| !limited.is_for_all());
            }
            return Ok(Err(limited.map_or(NotIn::Code(tried), NotIn::Limited)));
        };
        let closed = match contacts.enter(tx, number, id, word)? {
            Entry::Open(closed) => closed,
            Entry::Ask(question) => return Err(Stopped::Ask(question)),
            Entry::Held => return Ok(Err(NotIn::Held)),
        };
        let subscriber = tx.contacts().sign_in(number, locale, self.fresh, &self.session)?;
        tx.audit().append(&AuditEntry::by(subscriber.key, AuditAction::SignedIn))?;
        for (consent, version) in &self.consents {
            write_consent(tx, subscriber.key, *consent, version, contacts.world.now())?;
        }
        Ok(Ok((subscriber, closed)))
    }
}

/// Why a write came to nothing.
enum Stopped {
    /// The network must be asked first.
    Ask(Question),
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why somebody is not signed in.
enum NotIn {
    Limited(Limited),
    Code(CodeTried),
    Held,
}

fn over() -> Problem {
    Problem::new(Code::RegistrationExpired, "This registration is used up or replaced. Ask for a new code.")
}

fn refuse(tried: CodeTried) -> Problem {
    let (code, detail) = match tried {
        CodeTried::Unknown | CodeTried::Right(..) => return over(),
        CodeTried::Expired => (Code::RegistrationExpired, "The code's time has run out. Ask for a new one."),
        CodeTried::TooManyTries | CodeTried::Wrong { last: true } => {
            (Code::RegistrationTooManyTries, "Too many wrong codes. Ask for a new one.")
        }
        CodeTried::Wrong { last: false } => {
            (Code::RegistrationWrongCode, "That is not the code. Look at the newest text and try again.")
        }
    };
    Problem::new(code, detail)
}

/// A device's name is for its owner's eyes; 64 characters are enough.
fn short_name(name: &str) -> String {
    name.trim().chars().filter(|c| !c.is_control()).take(64).collect()
}
