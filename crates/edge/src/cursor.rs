//! Opaque cursors: where the next page begins, as URL-safe text.

use api::Code;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Problem;

/// A cursor that stands for the last row shown; it must hold nothing that the caller may not see.
pub fn encode<T: Serialize>(last: &T) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(last).unwrap_or_default())
}

/// Reads a cursor back.
///
/// # Errors
/// 400 for what is no cursor of this list.
pub fn decode<T: DeserializeOwned>(cursor: &str) -> Result<T, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(refused)
}

/// The refusal of a cursor that is none of the list it was given to.
pub fn refused() -> Problem {
    Problem::new(
        Code::RequestMalformed,
        "The cursor is none of this list; use `next` as it was given, or leave it out.",
    )
    .field("cursor", "is none of this list")
}
