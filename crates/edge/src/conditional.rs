//! Versions in headers: `ETag` out, `If-Match` in.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::HeaderValue;
use http::header::IF_MATCH;
use http::request::Parts;

/// The version that a change must meet; `None` when the caller does not care (no header, or `*`).
///
/// A tag that is none of ours fits no version: it is read as -1, and the handler answers 412 to it as
/// to any other version that does not fit. Source: RFC 9110, section 13.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<i64>);

const FITS_NOTHING: i64 = -1;

impl IfMatch {
    /// Whether a version fits.
    pub fn fits(self, version: i64) -> bool {
        self.0.is_none_or(|wanted| wanted == version)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get(IF_MATCH).map(HeaderValue::to_str).and_then(|text| match text {
            Ok(text) if text.trim() == "*" => None,
            Ok(text) => Some(version(text.trim())),
            Err(_) => Some(FITS_NOTHING),
        })))
    }
}

// People write the version with and without the quotes of an entity tag.
fn version(text: &str) -> i64 {
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let plain = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit());
    if plain { bare.parse().unwrap_or(FITS_NOTHING) } else { FITS_NOTHING }
}

/// The `ETag` of a version.
pub fn etag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}
