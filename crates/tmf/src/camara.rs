//! What the operator's network says of a number, over CAMARA: whether it got a new owner, and whether its SIM
//! was swapped. Source: CAMARA number-recycling 0.2.0, sim-swap 2.1.0.

use std::sync::Arc;

use bytes::Bytes;
use domain::Msisdn;
use futures::future::BoxFuture;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, StatusCode};
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::transport::Transport;

/// Where it is asked whether a number got a new owner.
pub const NUMBER_RECYCLING: &str = "/number-recycling/v0.2/check";
/// Where it is asked whether a number's SIM was swapped.
pub const SIM_SWAP: &str = "/sim-swap/v2/check";
/// The longest time back that may be asked about, in hours: `maxAge` of sim-swap.
pub const SIM_SWAP_HOURS_MAX: i64 = 2_400;

/// The operator's network, which knows who holds a number and in which SIM. Each call ends by itself.
pub trait NumberChecks: Send + Sync {
    /// Whether a number got a new owner after a day.
    ///
    /// # Errors
    /// [`Unanswered`]: nothing is known then.
    fn has_new_owner(&self, number: Msisdn, after: Date) -> BoxFuture<'_, Result<bool, Unanswered>>;

    /// Whether a number's SIM was swapped in the last so many hours.
    ///
    /// # Errors
    /// [`Unanswered`]: nothing is known then.
    fn has_new_sim(&self, number: Msisdn, hours: i64) -> BoxFuture<'_, Result<bool, Unanswered>>;
}

/// Why nothing is known of a number. Never holds the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// No answer came in time, or none at all.
    #[error("the operator's network gave no answer")]
    Away,
    /// An answer came that says neither yes nor no; its status.
    #[error("the operator's network answered with status {0}, and neither yes nor no")]
    Neither(u16),
}

/// The question whether a number got a new owner.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecyclingQuestion {
    /// E.164.
    pub phone_number: String,
    /// The day after which a change counts.
    pub specified_date: Date,
}

/// The answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecyclingAnswer {
    /// Whether it did.
    pub phone_number_recycled: bool,
}

/// The question whether a SIM was swapped.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SimSwapQuestion {
    /// E.164.
    pub phone_number: String,
    /// Hours back, 1 to [`SIM_SWAP_HOURS_MAX`].
    pub max_age: i64,
}

/// The answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimSwapAnswer {
    /// Whether it was.
    pub swapped: bool,
}

/// The network behind a transport, which brings the address, the token and the longest wait.
pub struct Camara {
    transport: Arc<dyn Transport>,
}

impl Camara {
    /// The network behind a transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }

    /// Asks; only a 200 whose body has the word counts, for anything else may be a proxy's.
    async fn ask<A: DeserializeOwned>(&self, path: &str, question: &impl Serialize) -> Result<A, Unanswered> {
        let body = serde_json::to_vec(question).map_err(|_| Unanswered::Away)?;
        let request = Request::post(path)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from(body))
            .map_err(|_| Unanswered::Away)?;
        let answer = self.transport.call(request).await.map_err(|_| Unanswered::Away)?;
        let neither = Unanswered::Neither(answer.status().as_u16());
        if answer.status() != StatusCode::OK {
            return Err(neither);
        }
        serde_json::from_slice(answer.body()).map_err(|_| neither)
    }
}

impl NumberChecks for Camara {
    fn has_new_owner(&self, number: Msisdn, after: Date) -> BoxFuture<'_, Result<bool, Unanswered>> {
        let question = RecyclingQuestion { phone_number: number.e164(), specified_date: after };
        Box::pin(async move {
            let answer: RecyclingAnswer = self.ask(NUMBER_RECYCLING, &question).await?;
            Ok(answer.phone_number_recycled)
        })
    }

    fn has_new_sim(&self, number: Msisdn, hours: i64) -> BoxFuture<'_, Result<bool, Unanswered>> {
        let question =
            SimSwapQuestion { phone_number: number.e164(), max_age: hours.clamp(1, SIM_SWAP_HOURS_MAX) };
        Box::pin(async move {
            let answer: SimSwapAnswer = self.ask(SIM_SWAP, &question).await?;
            Ok(answer.swapped)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use http::Response;
    use serde_json::{Value, json};

    use super::*;
    use crate::transport::TransportError;

    struct Scripted {
        answer: Result<(u16, &'static str), TransportError>,
        asked: Mutex<Vec<(String, Value)>>,
    }

    impl Transport for Scripted {
        fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
            let body = serde_json::from_slice(request.body()).unwrap();
            self.asked.lock().unwrap().push((request.uri().to_string(), body));
            let answer = self.answer.map(|(status, body)| {
                Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
            });
            Box::pin(async move { answer })
        }
    }

    fn network(answer: Result<(u16, &'static str), TransportError>) -> (Camara, Arc<Scripted>) {
        let scripted = Arc::new(Scripted { answer, asked: Mutex::default() });
        (Camara::new(scripted.clone()), scripted)
    }

    const NUMBER: &str = "+8613800138000";

    #[tokio::test]
    async fn the_questions_are_those_of_the_documents() {
        let number = Msisdn::parse_e164(NUMBER).unwrap();
        let (camara, asked) = network(Ok((200, r#"{"phoneNumberRecycled":true,"more":1}"#)));
        assert_eq!(camara.has_new_owner(number, "2026-01-31".parse().unwrap()).await, Ok(true));
        let question = json!({"phoneNumber": NUMBER, "specifiedDate": "2026-01-31"});
        assert_eq!(asked.asked.lock().unwrap()[0], (NUMBER_RECYCLING.to_owned(), question));
        let (camara, asked) = network(Ok((200, r#"{"swapped":false}"#)));
        assert_eq!(camara.has_new_sim(number, 72).await, Ok(false));
        let question = json!({"phoneNumber": NUMBER, "maxAge": 72});
        assert_eq!(asked.asked.lock().unwrap()[0], (SIM_SWAP.to_owned(), question));
    }

    #[tokio::test]
    async fn nothing_but_a_200_with_the_word_is_an_answer() {
        let number = Msisdn::parse_e164(NUMBER).unwrap();
        for (answer, error) in [
            (Ok((200, "<html>")), Unanswered::Neither(200)),
            (Ok((200, r#"{"swapped":"false"}"#)), Unanswered::Neither(200)),
            (Ok((201, r#"{"swapped":false}"#)), Unanswered::Neither(201)),
            (Ok((404, r#"{"code":"IDENTIFIER_NOT_FOUND"}"#)), Unanswered::Neither(404)),
            (Ok((500, "")), Unanswered::Neither(500)),
            (Err(TransportError::NotSent), Unanswered::Away),
            (Err(TransportError::Unknown), Unanswered::Away),
        ] {
            assert_eq!(network(answer).0.has_new_sim(number, 1).await, Err(error), "{answer:?}");
        }
    }
}
