//! What stands around every route: request ids, limits, panics caught, metrics, spans.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use api::Code;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use domain::limits;
use domain::world::World;
use futures::FutureExt;
use http::{HeaderName, HeaderValue, Method};
use tracing::Instrument;

use crate::{Problem, unread};

/// The header that names an answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request, in the extensions of every request inside the shell.
///
/// It is made here; what a client sends under this name is not looked at.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Puts the shell around finished routes: call it last.
///
/// Every answer gets `x-request-id`; a panic is 500, a handler that takes longer than
/// `limits::REQUEST_S_MAX` is 503 (a body that streams may take longer), an unknown address 404 and a
/// wrong method 405, all as problems. Counts `http_requests_total` and times `http_request_seconds` by
/// the route's pattern; the path itself may hold a number and is never written down.
pub fn shell(router: Router, world: World) -> Router {
    router
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || {
            Problem::new(Code::MethodNotAllowed, "Use a method that the header Allow names.")
        })
        .layer(from_fn_with_state(world, around))
}

async fn around(State(world): State<World>, mut request: Request, next: Next) -> Response {
    let id = world.uuid().to_string();
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", method, route, request_id = id, status = tracing::field::Empty);
    let began = Instant::now();
    let response = async {
        let response = answer(request, next).await;
        // An answer that was passed on keeps the name that it has in the log of the process that made it.
        let id = response.extensions().get::<RequestId>().map_or_else(|| id.clone(), |named| named.0.clone());
        let mut response = finish(response, &id);
        tracing::Span::current().record("status", response.status().as_u16());
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
    .await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("http_requests_total", "route" => route.clone(), "method" => method, "status" => status)
        .increment(1);
    metrics::histogram!("http_request_seconds", "route" => route, "method" => method)
        .record(began.elapsed().as_secs_f64());
    response
}

async fn answer(request: Request, next: Next) -> Response {
    // No address of ours holds a zero byte, and no store keeps one in a text.
    if request.uri().path_and_query().is_some_and(|address| address.as_str().contains("%00")) {
        let detail = "The address holds a zero byte; leave it out.";
        return into_response(Problem::new(Code::RequestMalformed, detail));
    }
    let (request, unread) = unread::lend(request);
    let response = answer_in_time(request, next).await;
    if let Some(unread) = unread.filter(|_| !response.status().is_success()) {
        unread.drain().await;
    }
    response
}

async fn answer_in_time(request: Request, next: Next) -> Response {
    let limit = Duration::from_secs(limits::REQUEST_S_MAX.unsigned_abs());
    let caught = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(limit, caught).await {
        Ok(Ok(response)) => response,
        // The panic hook has logged where; its message may quote input and goes no further.
        Ok(Err(_)) => into_response(Problem::internal("a handler panicked")),
        Err(_) => into_response(
            Problem::new(Code::RequestTimeout, "The server took too long; try again in a moment.")
                .retry_after_s(5),
        ),
    }
}

fn into_response(problem: Problem) -> Response {
    axum::response::IntoResponse::into_response(problem)
}

/// Gives a problem its request id, and logs its cause: here, once.
fn finish(mut response: Response, id: &str) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let code = problem.code().word();
    match (problem.cause_chain(), problem.code()) {
        (Some(cause), Code::Internal) => {
            tracing::error!(code, cause, "a request met a fault of the server's own")
        }
        (Some(cause), _) => tracing::warn!(code, cause, "a request could not be served"),
        (None, _) => tracing::debug!(code, "a request was refused"),
    }
    let mut whole = problem.response(id);
    // Headers from layers in between, such as Allow, stay.
    for (name, value) in response.headers() {
        if !whole.headers().contains_key(name) && *name != http::header::CONTENT_LENGTH {
            whole.headers_mut().append(name.clone(), value.clone());
        }
    }
    whole
}

// Methods are free text on the wire; a label must not be.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
