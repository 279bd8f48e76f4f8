//! The key that makes a repeated request one request.

use std::fmt;

use api::Code;
use axum::extract::FromRequestParts;
use domain::limits;
use http::request::Parts;

use crate::Problem;

/// The `Idempotency-Key` of a request: 1 to 255 visible ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    // Whoever knows a key could read the first answer again: it stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(…)")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(api::orders::IDEMPOTENCY_KEY).iter();
        let missing = || {
            Problem::new(
                Code::IdempotencyKeyMissing,
                "Send an Idempotency-Key: a new random value for each tap.",
            )
        };
        let value = values.next().ok_or_else(missing)?;
        let max = limits::count(limits::IDEMPOTENCY_KEY_CHARS_MAX);
        let text = value.to_str().unwrap_or_default();
        let visible = (1..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible || values.next().is_some() {
            let detail = format!("Send one Idempotency-Key of 1 to {max} visible characters.");
            return Err(Problem::new(Code::IdempotencyKeyInvalid, detail));
        }
        Ok(Self(text.to_owned()))
    }
}
