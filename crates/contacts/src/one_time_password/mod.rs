//! CAMARA one-time-password-sms 1.1.1: the operator's own clients have a number proven by the same codes that sign
//! people in, under the same limits. A code asked for here proves a number to the client and signs nobody in.

mod refusal;
mod send;
mod validate;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::limits;
use edge::operator::{Door, Operator, Scope};
use http::{HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use store::audit::Refusals;

use self::refusal::{Refusal, RefusalCode};
use crate::Contacts;

/// Where the interface stands. Source: `servers` of the document.
const BASE: &str = "/one-time-password-sms/v1";
const CORRELATOR: HeaderName = HeaderName::from_static("x-correlator");
/// Source: `XCorrelator` of the document.
const CORRELATOR_CHARS_MAX: usize = 256;

/// Its routes, behind the operator's door.
pub fn routes(contacts: Contacts, door: Door) -> Router {
    let refusals = Arc::new(Refusals::new(contacts.store.clone(), contacts.world.clone()));
    Router::new()
        .route(&format!("{BASE}/send-code"), post(send::send))
        .route(&format!("{BASE}/validate-code"), post(validate::validate))
        .layer(DefaultBodyLimit::max(limits::count(limits::BODY_BYTES_MAX)))
        .route_layer(from_fn_with_state((door, refusals), guard))
        .with_state(contacts)
}

/// Lets the holder of a token through; a refusal, here or further in, stands in the audit log.
async fn guard(
    State((door, refusals)): State<(Door, Arc<Refusals>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let correlator = request.headers().get(CORRELATOR).filter(|value| is_correlator(value)).cloned();
    let path = request.extensions().get::<MatchedPath>().map_or("another path", MatchedPath::as_str);
    let call = format!("{} {path}", request.method());
    let admitted = door.admit(request.headers()).map_err(|_| (None, Refusal::unauthenticated()));
    let admitted = admitted.and_then(|operator| match operator.need(Scope::CodesWrite) {
        Ok(()) => Ok(operator),
        Err(_) => Err((Some(operator), Refusal::permission())),
    });
    let (operator, mut response) = match admitted {
        Ok(operator) => {
            request.extensions_mut().insert(operator.clone());
            (Some(operator), next.run(request).await)
        }
        Err((operator, refusal)) => (operator, refusal.into_response()),
    };
    if let Some(RefusalCode(code)) = response.extensions().get() {
        refusals.write(operator.as_ref().map(Operator::name), &call, code).await;
    }
    if let Some(correlator) = correlator {
        response.headers_mut().insert(CORRELATOR, correlator);
    }
    response
}

fn is_correlator(value: &HeaderValue) -> bool {
    value.len() <= CORRELATOR_CHARS_MAX
        && value.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_:;./<>{}".contains(byte))
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    if edge::holds_zero(body) {
        return Err(Refusal::argument("a text holds the character U+0000, which nothing here may"));
    }
    serde_json::from_slice(body).map_err(|_| Refusal::argument("the body is not what the document declares"))
}

/// The code as it is kept: apart from those that sign in, so that whoever had a number proven to them cannot sign in
/// with its code. No body that signs in can hold the character in front.
fn apart(code: &str) -> String {
    format!("\0{code}")
}
