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
use utoipa::openapi::OpenApi;

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

/// The calls of the roles that are elsewhere.
pub(super) fn routes(plan: &Plan) -> Result<Router, reqwest::Error> {
    let mut router = Router::new();
    if let Some(base) = plan.peers.contacts.as_deref().filter(|_| !plan.roles.contacts) {
        router = router.merge(passed_on(base, &contacts::document())?);
    }
    if let Some(base) = plan.peers.exchange.as_deref().filter(|_| !plan.roles.exchange) {
        router = router.merge(passed_on(base, &exchange::document())?);
    }
    Ok(router.layer(Extension(plan.trusted_proxies.clone())))
}

/// Exactly the calls of a contract, so that nothing goes in circles.
fn passed_on(base: &str, contract: &OpenApi) -> Result<Router, reqwest::Error> {
    let other = Other { client: client()?, base: base.trim_end_matches('/').into() };
    let pass = || any(pass).with_state(other.clone());
    let router = contract.paths.paths.keys().fold(Router::new(), |router, path| router.route(path, pass()));
    // Each call's own limit is the other's to keep.
    Ok(router.layer(Extension(BodyLimit(limits::BACKUP_BYTES_MAX))))
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
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<String> =
        named.flat_map(|value| value.split(',')).map(|name| name.trim().to_owned()).collect();
    named.iter().for_each(|name| drop(headers.remove(name)));
    for name in &NEIGHBOURS {
        headers.remove(name);
    }
    headers
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;
    use axum::routing::{get, post};
    use bytes::Bytes;
    use http::StatusCode;
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tokio::net::TcpListener;
    use tower::ServiceExt;

    use super::*;

    async fn serve(router: Router) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    /// What stands before a process with the role contacts.
    fn before(other: SocketAddr) -> Router {
        let world = crate::world::system();
        edge::shell(passed_on(&format!("http://{other}/"), &contacts::document()).unwrap(), world)
    }

    async fn ask(
        router: &Router,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &'static str,
    ) -> Response {
        let mut request = Request::post(path).body(Body::from(body)).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let from: SocketAddr = "203.0.113.9:4711".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(from));
        router.clone().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_call_is_passed_on_whole_and_what_its_sender_says_of_where_it_is_is_not() {
        let echo = async |headers: HeaderMap, body: Bytes| {
            let told = |name: &str| -> Vec<String> {
                headers.get_all(name).iter().map(|one| one.to_str().unwrap().to_owned()).collect()
            };
            let names = ["x-forwarded-for", "forwarded", "authorization", "connection", "x-hop", "if-match"];
            let told: Vec<_> = names.map(told).to_vec();
            let id = [("x-request-id", "the-others-own"), ("connection", "close"), ("etag", "7")];
            (StatusCode::CREATED, id, format!("{told:?} {}", String::from_utf8_lossy(&body)))
        };
        let router = before(serve(Router::new().route("/v1/book", post(echo))).await);
        let headers = [
            ("x-forwarded-for", "192.0.2.1"),
            ("forwarded", "for=192.0.2.1"),
            ("authorization", "Bearer t"),
            ("connection", "keep-alive, x-hop"),
            ("x-hop", "one"),
            ("if-match", "6"),
        ];
        let answer = ask(&router, "/v1/book?x=1", &headers, "whole").await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(
            (&answer.headers()["etag"], answer.headers().get("connection")),
            (&"7".parse().unwrap(), None)
        );
        assert_eq!(answer.headers()["x-request-id"], "the-others-own");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, r#"[["203.0.113.9"], [], ["Bearer t"], [], [], ["6"]] whole"#);
    }

    #[tokio::test]
    async fn only_the_others_calls_are_passed_on_and_without_it_they_are_answered_so() {
        let asked = serve(Router::new().fallback(get("the other was asked"))).await;
        let router = before(asked);
        assert_eq!(ask(&router, "/v1/orders", &[], "").await.status(), StatusCode::NOT_FOUND);
        assert_eq!(ask(&router, "/tmf-api/x", &[], "").await.status(), StatusCode::NOT_FOUND);
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let answer = ask(&before(nobody), "/v1/registrations", &[], "{}").await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()["retry-after"], "2");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["code"], "peer/unavailable");
        let large = vec![b'x'; limits::count(limits::BACKUP_BYTES_MAX) + 1];
        let request = Request::put("/v1/book/backup").body(Body::from(large)).unwrap();
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(ConnectInfo(asked));
        let answer = router.oneshot(Request::from_parts(parts, body)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}
