//! Handing things over to somebody else's system by HTTP: once by its own record, however often they are sent.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use tmf::Transport;

/// Why the other side did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It may have acted or not: the same again, later.
    #[error("the other side gave no answer that counts")]
    Away(#[source] Cause),
    /// It will not have this, however often it is sent.
    #[error("the other side will not have this")]
    Refused(#[source] Cause),
}

/// What lies behind.
pub type Cause = Box<dyn Error + Send + Sync>;

impl NotTaken {
    /// The word in metrics.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Away(_) => "away",
            Self::Refused(_) => "refused",
        }
    }
}

/// The pause before a try that follows so many in vain: doubled each time, up to the most.
pub(crate) fn pause_s(tries: i64, most: i64) -> i64 {
    (1_i64 << tries.clamp(0, 20)).min(most)
}

/// What says that something was taken: its key, back.
#[derive(Serialize, Deserialize)]
pub(crate) struct Taken {
    pub(crate) id: String,
}

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Somebody else's system behind an HTTP interface.
///
/// A thing was taken when the answer is 2xx, or 409 (it has the key already), and its body names the
/// key: `{"id": "…"}`. Anything else, a 200 with another body included, may be a proxy's word and
/// counts for nothing. What it will never have is answered 400, 413, 415 or 422.
pub(crate) struct Outbound {
    transport: Arc<dyn Transport>,
    wait: Duration,
}

impl Outbound {
    /// Over a transport that knows the address and the token; each call ends by itself within `wait`.
    pub(crate) fn new(transport: Arc<dyn Transport>, wait: Duration) -> Self {
        Self { transport, wait }
    }

    /// Posts once.
    pub(crate) async fn post(
        &self,
        path: &str,
        key: Option<&str>,
        body: &impl Serialize,
    ) -> Result<Response<Bytes>, Cause> {
        let body = serde_json::to_vec(body)?;
        let mut request = Request::post(path).header(CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        let request = request.body(Bytes::from(body))?;
        Ok(tokio::time::timeout(self.wait, self.transport.call(request)).await??)
    }

    /// Hands a thing over; `Ok` only once it was certainly taken, now or before.
    pub(crate) async fn hand_over(
        &self,
        path: &str,
        key: &str,
        body: &impl Serialize,
    ) -> Result<(), NotTaken> {
        let answer = self.post(path, Some(key), body).await.map_err(NotTaken::Away)?;
        let names_it =
            || serde_json::from_slice::<Taken>(answer.body()).is_ok_and(|it| it.id.eq_ignore_ascii_case(key));
        match answer.status() {
            status if (status.is_success() || status == StatusCode::CONFLICT) && names_it() => Ok(()),
            StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY => Err(NotTaken::Refused(status(&answer).into())),
            // A token that has run out, or a wrong path, is no fault of the thing.
            _ => Err(NotTaken::Away(status(&answer).into())),
        }
    }
}

/// The status alone: an answer's body may repeat what was sent.
pub(crate) fn status(answer: &Response<Bytes>) -> String {
    format!("status {}", answer.status().as_u16())
}
