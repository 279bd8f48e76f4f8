//! The key that makes a repeated request one request.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use api::Code;
use axum::extract::FromRequestParts;
use domain::key::ContactKey;
use domain::limits;
use http::request::Parts;

use crate::Problem;

/// The `Idempotency-Key` of a request: 1 to 255 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, Hash)]
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

/// The keyed requests that this process works on just now. Between processes the database's own uniqueness
/// decides: the later write waits for the earlier one, and then finds its answer.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<HashSet<(ContactKey, IdempotencyKey)>>>);

/// A keyed request at work; its key is free again when this is dropped.
pub struct Turn {
    running: Running,
    place: (ContactKey, IdempotencyKey),
}

impl Running {
    /// Begins a request of somebody.
    ///
    /// # Errors
    /// 409 while another one with the same key is at work.
    pub fn begin(&self, caller: ContactKey, key: &IdempotencyKey) -> Result<Turn, Problem> {
        let place = (caller, key.clone());
        let began = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone());
        if began {
            return Ok(Turn { running: self.clone(), place });
        }
        let detail = "The first request with this Idempotency-Key is still running. Repeat it in a moment.";
        Err(Problem::new(Code::IdempotencyRunning, detail).retry_after_s(1))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.place);
    }
}
