//! Handing over by HTTP: `POST /charges` with an `Idempotency-Key`, `POST /payer-checks`.

use std::sync::Arc;
use std::time::Duration;

use domain::charging::ChargeEvent;
use domain::limits;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::StatusCode;
use tmf::Transport;

use super::message::PayerWord;
use super::{ChargeMessage, Charging, PayerQuery, PayerQuestion};
use crate::outbound::{NotTaken, Outbound, status};

/// A charging system behind an HTTP interface; what it answers 400, 413, 415 or 422 the operator looks at.
pub struct Webhook(Outbound);

impl Webhook {
    /// A webhook over a transport that knows its address and token.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        let wait = Duration::from_secs(limits::CHARGING_ANSWER_S_MAX.unsigned_abs());
        Self(Outbound::new(transport, wait))
    }
}

impl Charging for Webhook {
    fn check_payer<'a>(&'a self, query: &'a PayerQuery) -> BoxFuture<'a, Result<bool, NotTaken>> {
        async move {
            let question = PayerQuestion::from(query);
            let answer = self.0.post("/payer-checks", None, &question).await.map_err(NotTaken::Away)?;
            let word = serde_json::from_slice::<PayerWord>(answer.body()).ok();
            match word.filter(|_| answer.status() == StatusCode::OK) {
                Some(PayerWord { allowed }) => Ok(allowed),
                None => Err(NotTaken::Away(status(&answer).into())),
            }
        }
        .boxed()
    }

    fn hand_over<'a>(&'a self, event: &'a ChargeEvent) -> BoxFuture<'a, Result<(), NotTaken>> {
        async move { self.0.hand_over("/charges", &event.id.to_string(), &ChargeMessage::from(event)).await }
            .boxed()
    }
}
