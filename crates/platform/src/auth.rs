//! Who may use the platform's faces: holders of an operator's token.

use std::sync::Arc;

use api::problem::Code;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use edge::Problem;
use http::header::AUTHORIZATION;
use store::Keys;
use subtle::{Choice, ConstantTimeEq};

use crate::Platform;
use crate::refusal::Refusal;

/// The tokens that open the door, as keyed hashes.
#[derive(Clone)]
pub(crate) struct Door {
    keys: Keys,
    tokens: Arc<[[u8; 32]]>,
    open: bool,
}

impl Door {
    pub(crate) fn new(platform: &Platform) -> Self {
        let keys = platform.store.keys().clone();
        let tokens = platform.config.operator_tokens.iter().map(|token| hash(&keys, token)).collect();
        Self { keys, tokens, open: platform.config.open_on_loopback }
    }

    fn admits(&self, request: &Request) -> bool {
        if self.open {
            return true;
        }
        let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some((scheme, token)) = header.and_then(|value| value.split_once(' ')) else { return false };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return false;
        }
        let shown = hash(&self.keys, token.trim());
        // Every token is compared, so that the time taken tells nothing about which one came near.
        self.tokens.iter().fold(Choice::from(0), |found, known| found | known.ct_eq(&shown)).into()
    }
}

fn hash(keys: &Keys, token: &str) -> [u8; 32] {
    keys.hash("operator token", &[token.as_bytes()])
}

/// Lets a request through, or refuses it.
pub(crate) async fn guard(State(door): State<Door>, request: Request, next: Next) -> Response {
    if door.admits(&request) {
        return next.run(request).await;
    }
    // What is not one of TM Forum's interfaces answers in our own form.
    if !request.uri().path().starts_with("/tmf-api/") {
        let detail =
            "Send one of the operator's tokens (platform.operator_tokens) as 'Authorization: Bearer …'.";
        return Problem::new(Code::AuthInvalid, detail).into_response();
    }
    Refusal::unauthorized().into_response()
}
