//! Calls of `/v1` that are another process's: passed on to it, so that a terminal needs one address alone.

use std::sync::Arc;
use std::time::Duration;

use api::Code;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};
use domain::limits;
use edge::{BodyLimit, Peer, Problem, RequestId};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};
use reqwest::redirect::Policy;

use super::Plan;

const CONNECT: Duration = Duration::from_secs(5);
/// When to try again what another process did not take.
const AGAIN_S: u64 = 2;
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What counts between two neighbours alone: RFC 9110, section 7.6.1; and what is written anew.
const NEIGHBOURS: [HeaderName; 12] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
    header::HOST,
    header::CONTENT_LENGTH,
];

/// A process with another role.
#[derive(Clone)]
struct Other {
    client: reqwest::Client,
    base: Arc<str>,
}

/// The calls of the roles that are elsewhere: exactly those of their contracts, so that nothing goes in circles.
pub(super) fn routes(plan: &Plan) -> Result<Router, reqwest::Error> {
    let elsewhere = [
        (plan.roles.contacts, &plan.peers.contacts, contacts::document as fn() -> _),
        (plan.roles.exchange, &plan.peers.exchange, exchange::document),
    ];
    let mut router = Router::new();
    for (here, base, document) in elsewhere {
        let Some(base) = base.as_ref().filter(|_| !here) else { continue };
        let base = base.trim_end_matches('/').into();
        let other = Other { client: client()?, base };
        for path in document().paths.paths.keys() {
            router = router.route(path, any(pass).with_state(other.clone()));
        }
    }
    Ok(router
        .layer(Extension(plan.trusted_proxies.clone()))
        .layer(Extension(BodyLimit(limits::BACKUP_BYTES_MAX))))
}

fn client() -> Result<reqwest::Client, reqwest::Error> {
    // The first in the process wins; a second one is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().connect_timeout(CONNECT).build()
}

/// Asks the other process the same, and answers what it answers, as it comes: a stream of events has no end.
async fn pass(State(other): State<Other>, from: Peer, request: Request) -> Result<Response, Problem> {
    let method = request.method().clone();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{path}", other.base);
    let mut headers = between(request.headers());
    // Whatever the sender says of where it is, this process has seen.
    headers.remove(header::FORWARDED);
    headers.remove(FORWARDED_FOR);
    headers.insert(FORWARDED_FOR, from.forwarded_for());
    let body = edge::whole_body(request).await?;
    let asked = other.client.request(method, url).headers(headers).body(body).send();
    let answer = asked.await.map_err(|error| {
        // Its address may hold a number.
        let detail = "The server that does this is away; send the same again in a moment.";
        Problem::new(Code::PeerUnavailable, detail).retry_after_s(AGAIN_S).because(error.without_url())
    })?;
    let (status, headers) = (answer.status(), between(answer.headers()));
    let id = headers.get(edge::REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let mut response = (status, Body::from_stream(answer.bytes_stream())).into_response();
    *response.headers_mut() = headers;
    // What is told of an answer stands in the log of the process that made it.
    if let Some(id) = id {
        response.extensions_mut().insert(RequestId(id));
    }
    Ok(response)
}

fn between(headers: &HeaderMap<HeaderValue>) -> HeaderMap<HeaderValue> {
    let mut headers = headers.clone();
    for name in &NEIGHBOURS {
        headers.remove(name);
    }
    headers
}
