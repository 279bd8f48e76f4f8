//! Handing over by HTTP: `POST /charges` with an `Idempotency-Key`, `POST /payer-checks`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::charging::ChargeEvent;
use domain::limits;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use serde::Serialize;
use tmf::Transport;

use super::message::{PayerWord, Taken};
use super::{ChargeMessage, Charging, ChargingError, PayerQuery, PayerQuestion};

/// A charging system behind an HTTP interface.
///
/// An event was taken when the answer is 2xx, or 409 (it has the key already), and its body names the
/// event: `{"id": "…"}`. Anything else, a 200 with another body included, may be a proxy's word and
/// counts for nothing. What it will never have is answered 400, 413, 415 or 422; the operator then looks.
pub struct Webhook {
    transport: Arc<dyn Transport>,
}

const IDEMPOTENCY_KEY: &str = "idempotency-key";

impl Webhook {
    /// A webhook over a transport that knows its address and token.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }

    async fn post(
        &self,
        path: &str,
        key: Option<&str>,
        body: &impl Serialize,
    ) -> Result<Response<Bytes>, ChargingError> {
        let away = |error: Box<dyn std::error::Error + Send + Sync>| ChargingError::Away(error);
        let body = serde_json::to_vec(body).map_err(|error| away(error.into()))?;
        let mut request = Request::post(path).header(CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        let request = request.body(Bytes::from(body)).map_err(|error| away(error.into()))?;
        let wait = Duration::from_secs(limits::CHARGING_ANSWER_S_MAX.unsigned_abs());
        let answer = tokio::time::timeout(wait, self.transport.call(request)).await;
        answer.map_err(|late| away(late.into()))?.map_err(|error| away(error.into()))
    }
}

impl Charging for Webhook {
    fn check_payer<'a>(&'a self, query: &'a PayerQuery) -> BoxFuture<'a, Result<bool, ChargingError>> {
        async move {
            let answer = self.post("/payer-checks", None, &PayerQuestion::from(query)).await?;
            let word = serde_json::from_slice::<PayerWord>(answer.body()).ok();
            match word.filter(|_| answer.status() == StatusCode::OK) {
                Some(PayerWord { allowed }) => Ok(allowed),
                None => Err(ChargingError::Away(status(&answer).into())),
            }
        }
        .boxed()
    }

    fn hand_over<'a>(&'a self, event: &'a ChargeEvent) -> BoxFuture<'a, Result<(), ChargingError>> {
        async move {
            let key = event.id.to_string();
            let answer = self.post("/charges", Some(&key), &ChargeMessage::from(event)).await?;
            let named = || serde_json::from_slice::<Taken>(answer.body()).is_ok_and(|it| it.id == event.id);
            match answer.status() {
                status if (status.is_success() || status == StatusCode::CONFLICT) && named() => Ok(()),
                StatusCode::BAD_REQUEST
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
                | StatusCode::UNPROCESSABLE_ENTITY => Err(ChargingError::Refused(status(&answer).into())),
                // A token that has run out, or a wrong path, is no fault of the event.
                _ => Err(ChargingError::Away(status(&answer).into())),
            }
        }
        .boxed()
    }
}

/// The status alone: an answer's body may repeat what was sent.
fn status(answer: &Response<Bytes>) -> String {
    format!("status {}", answer.status().as_u16())
}
