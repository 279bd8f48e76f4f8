//! Request bodies, read whole and within a limit.

use api::Code;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use domain::limits;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt;

use crate::Problem;

/// Put on a route as `axum::Extension(BodyLimit(…))`, it changes the limit of that route's bodies.
///
/// In bytes; without it the limit is `limits::BODY_BYTES_MAX`.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub i64);

/// The whole body.
pub(crate) async fn read(request: Request) -> Result<Bytes, Problem> {
    let limit = request.extensions().get::<BodyLimit>().map_or(limits::BODY_BYTES_MAX, |limit| limit.0);
    let limit = limits::count(limit);
    let declared =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut body = request.into_body();
    if declared.is_some_and(|length: usize| length > limit) {
        return Err(too_large(limit));
    }
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broken_off)?.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

fn too_large(limit: usize) -> Problem {
    Problem::new(
        Code::RequestTooLarge,
        format!("A body of at most {limit} bytes is taken here; send less at once."),
    )
}

fn broken_off(_: axum::Error) -> Problem {
    Problem::new(Code::RequestMalformed, "The body broke off; send the request again.")
}

/// The whole body, whatever its media type.
///
/// # Errors
/// 413 for one above the route's limit, 400 for one that breaks off.
pub async fn whole_body(request: Request) -> Result<Bytes, Problem> {
    read(request).await
}

/// The media type without its parameters, in lower case; empty when there is none.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A body of plain bytes (`application/octet-stream`), such as the encrypted backup.
#[derive(Debug, Clone)]
pub struct Blob(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Blob {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let media_type = media_type(request.headers());
        if !media_type.is_empty() && media_type != api::book::BACKUP_MEDIA_TYPE {
            return Err(Problem::new(
                Code::RequestUnsupportedMedia,
                "Plain bytes are taken here; send Content-Type: application/octet-stream.",
            ));
        }
        let blob = read(request).await?;
        if blob.is_empty() {
            return Err(Problem::new(Code::RequestInvalid, "The body is empty; send the bytes to keep.")
                .field("body", "must not be empty"));
        }
        Ok(Self(blob))
    }
}
