//! JSON in and out.

use api::Code;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Problem, body, faults};

/// A JSON body, always an object: as an extractor it refuses with problems, as a response it is `application/json`.
///
/// Not JSON is 400, JSON that does not fit is 422 with the field, another media type is 415, too much
/// is 413. `Option<Json<T>>` lets a call go without a body.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        let bytes = body::read(request).await?;
        refuse_zero(&bytes)?;
        parse(&bytes).map(Self)
    }
}

/// The same for a body whose texts are read and never kept, such as a book's raw numbers: a U+0000 in one of
/// them is that entry's fault, and not the whole upload's.
#[derive(Debug, Clone, Copy)]
pub struct RawJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for RawJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        parse(&body::read(request).await?).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Option<Self>, Problem> {
        let media_type = check_media_type(request.headers());
        let bytes = body::read(request).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        media_type?;
        refuse_zero(&bytes)?;
        parse(&bytes).map(|value| Some(Self(value)))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = body::media_type(headers);
    if media_type == "application/json" || media_type.ends_with("+json") {
        return Ok(());
    }
    Err(Problem::new(
        Code::RequestUnsupportedMedia,
        "JSON is taken here; send Content-Type: application/json.",
    ))
}

/// Whether a text in a JSON body holds the character U+0000, which no store keeps in a text and nobody
/// means to send.
pub fn holds_zero(json: &[u8]) -> bool {
    let mut rest = json;
    // JSON has no zero byte outside of an escape, and a backslash stands only in texts.
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = &rest[at + 1..];
        if escape.starts_with(b"u0000") {
            return true;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

fn refuse_zero(bytes: &Bytes) -> Result<(), Problem> {
    if holds_zero(bytes) && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() {
        return Err(invalid("body", "must hold no character U+0000"));
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut json);
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    match read {
        // Serde reads a list into a shape as its fields in order, which the contract does not know.
        Ok(_) if !is_object => Err(invalid("body", "must be an object")),
        Ok(value) => json.end().map(|()| value).map_err(|error| malformed(&error)),
        Err(error) => {
            let parent = error.path().to_string();
            let error = error.into_inner();
            // Serde calls some faults of the contract faults of the syntax, and a fault of the contract
            // may stand before a place where the body is not even JSON: the body itself decides.
            if let Err(error) = serde_json::from_slice::<serde_json::Value>(bytes) {
                return Err(malformed(&error));
            }
            let (field, detail) = faults::describe(&parent, &error.to_string());
            Err(invalid(if field == "." { "body" } else { &field }, &detail))
        }
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    let place = format!("line {}, column {}", error.line(), error.column());
    Problem::new(Code::RequestMalformed, format!("The body is not JSON at {place}; correct it."))
}

fn invalid(field: &str, detail: &str) -> Problem {
    Problem::new(Code::RequestInvalid, format!("Correct the request: `{field}` {detail}."))
        .field(field, detail)
}
