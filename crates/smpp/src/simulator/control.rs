//! The control face of a simulated centre: HTTP with JSON.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::centre::{Centre, ReplyError};
use super::faults::Faults;
use super::phones::ShownText;

/// Octets of the longest request body: 255 parts of 67 characters, escaped, with room to spare.
const BODY_OCTETS_MAX: usize = 256 * 1024;

pub(super) async fn serve(listener: TcpListener, centre: Arc<Centre>, stop: CancellationToken) {
    let router = Router::new()
        .route("/phones/{number}/texts", get(texts))
        .route("/phones/{number}/reply", post(reply))
        .route("/faults", get(faults).put(set_faults))
        .fallback(|| async { problem(StatusCode::NOT_FOUND, "there is nothing here") })
        .method_not_allowed_fallback(|| async {
            problem(StatusCode::METHOD_NOT_ALLOWED, "this method does nothing here")
        })
        .layer(DefaultBodyLimit::max(BODY_OCTETS_MAX))
        .with_state(centre);
    let serving = axum::serve(listener, router);
    // Connections that wait for a next request must not hold up the end, so nothing is waited for.
    tokio::select! {
        () = stop.cancelled() => {}
        served = serving => if let Err(error) = served {
            tracing::warn!(error = %error, "the control face of the simulated centre stopped");
        },
    }
}

async fn texts(State(centre): State<Arc<Centre>>, Path(number): Path<String>) -> Json<Vec<ShownText>> {
    Json(centre.texts(&number))
}

#[derive(Deserialize)]
struct Reply {
    to: String,
    text: String,
}

async fn reply(
    State(centre): State<Arc<Centre>>,
    Path(number): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Reply { to, text } = match read(body) {
        Ok(reply) => reply,
        Err((status, detail)) => return problem(status, &detail),
    };
    match centre.reply(&number, &to, &text) {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(error @ (ReplyError::BadNumber | ReplyError::TooLong)) => {
            problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string())
        }
        Err(error @ ReplyError::Full) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

async fn faults(State(centre): State<Arc<Centre>>) -> Json<Faults> {
    Json(centre.faults())
}

async fn set_faults(State(centre): State<Arc<Centre>>, body: Result<Bytes, BytesRejection>) -> Response {
    match read(body) {
        Ok(faults) => {
            centre.set_faults(faults);
            Json(centre.faults()).into_response()
        }
        Err((status, detail)) => problem(status, &detail),
    }
}

fn read<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, (StatusCode, String)> {
    let body = body.map_err(|rejection| (rejection.status(), rejection.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| {
        // Only the place is told: the words of the error may quote the text.
        let place =
            format!("the body is not the JSON wanted here, line {} column {}", error.line(), error.column());
        (StatusCode::BAD_REQUEST, place)
    })
}

/// A problem document (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> Response {
    let body = serde_json::json!({
        "title": status.canonical_reason().unwrap_or("error"),
        "status": status.as_u16(),
        "detail": detail,
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}
