//! A charging system with balances, its own record of what it did, and faults that can be switched on; and,
//! behind the same faults, a provider that starts and stops services.
//!
//! It speaks what [`super::Webhook`] and [`crate::provisioning::Webhook`] speak, over a socket ([`routes`]) or
//! in process ([`Simulator`] is a [`Transport`]). Its control: `GET /record`, `GET /provisioned`, `GET /counts`,
//! `PUT /faults`, `PUT /payers/{number}`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request as Incoming, State};
use axum::response::{IntoResponse, Response as Outgoing};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use bytes::Bytes;
use domain::charging::ChargeKind;
use domain::limits;
use domain::world::World;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tmf::{Transport, TransportError};
use uuid::Uuid;

use super::message::PayerWord;
use super::{ChargeMessage, PayerQuestion};
use crate::provisioning::ProvisioningMessage;

/// How often each fault strikes, in thousandths of the requests; together at most 1000.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// It acts, and the connection breaks before the answer.
    pub lost_answer: u32,
    /// The connection breaks before it acts.
    pub lost_request: u32,
    /// It acts, and never answers.
    pub silence: u32,
    /// It does not act and answers 500.
    pub error: u32,
    /// It acts and answers 500.
    pub error_after: u32,
    /// The network brings the request twice; the second answer counts.
    pub duplicate: u32,
    /// It acts and answers 200 with a body that says nothing.
    pub garbage: u32,
    /// Somebody on the way answers 200 with a page, and it hears of nothing.
    pub proxy_page: u32,
    /// It acts and answers late.
    pub slow: u32,
    /// It will not have the event, and says so for good; payers are checked as ever.
    pub refused: u32,
}

impl Faults {
    /// Every fault that passes as often as every other; `thousandths` of the requests meet one.
    pub fn mixed(thousandths: u32) -> Self {
        let each = thousandths / 9;
        Self {
            lost_answer: each,
            lost_request: each,
            silence: each,
            error: each,
            error_after: each,
            duplicate: each,
            garbage: each,
            proxy_page: each,
            slow: each,
            refused: 0,
        }
    }

    fn throw(self, mut throw: u32) -> Fault {
        let table = [
            (self.lost_answer, Fault::LostAnswer),
            (self.lost_request, Fault::LostRequest),
            (self.silence, Fault::Silence),
            (self.error, Fault::Error),
            (self.error_after, Fault::ErrorAfter),
            (self.duplicate, Fault::Duplicate),
            (self.garbage, Fault::Garbage),
            (self.proxy_page, Fault::ProxyPage),
            (self.slow, Fault::Slow),
            (self.refused, Fault::Refused),
        ];
        for (weight, fault) in table {
            if throw < weight {
                return fault;
            }
            throw -= weight;
        }
        Fault::None
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    LostAnswer,
    LostRequest,
    Silence,
    Error,
    ErrorAfter,
    Duplicate,
    Garbage,
    ProxyPage,
    Slow,
    Refused,
}

/// What somebody has; absent: as much as is asked for.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// The balance in hundredths; `null`: no end of it.
    pub balance: Option<i64>,
    /// Whether nothing may be charged.
    pub barred: bool,
}

/// What it has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Requests to take an event, or to start or stop a service.
    pub deliveries: usize,
    /// Those among them that met a fault.
    pub faulty: usize,
    /// Those that brought an event it had.
    pub repeats: usize,
    /// Questions about payers.
    pub checks: usize,
}

#[derive(Default)]
struct Book {
    record: Vec<ChargeMessage>,
    known: HashMap<Uuid, usize>,
    provisioned: Vec<ProvisioningMessage>,
    accounts: HashMap<String, Account>,
    faults: Faults,
    counts: Counts,
}

/// The simulated charging system; clones are the same one.
#[derive(Clone)]
pub struct Simulator {
    book: Arc<Mutex<Book>>,
    world: World,
}

/// How a request goes out.
enum Played {
    Answer(Response<Bytes>),
    Late(Response<Bytes>),
    Broken,
    Silence,
}

/// A late answer comes after this, and silence ends after a time no client waits for.
const LATE: Duration = Duration::from_millis(20);
const SILENCE: Duration = Duration::from_secs(60);

impl Simulator {
    /// One that has seen nothing yet; its faults fall as the world's dice do.
    pub fn new(world: World) -> Self {
        Self { book: Arc::default(), world }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Switches faults on or off.
    pub fn set_faults(&self, faults: Faults) {
        self.book().faults = faults;
    }

    /// Sets what somebody has.
    pub fn set_account(&self, number: &str, account: Account) {
        self.book().accounts.insert(number.to_owned(), account);
    }

    /// What it did, in the order in which it did it.
    pub fn record(&self) -> Vec<ChargeMessage> {
        self.book().record.clone()
    }

    /// What it did as a provider, in the order in which it did it.
    pub fn provisioned(&self) -> Vec<ProvisioningMessage> {
        self.book().provisioned.clone()
    }

    /// What it has counted.
    pub fn counts(&self) -> Counts {
        self.book().counts
    }

    fn play(&self, path: &str, key: Option<&str>, body: &[u8]) -> Played {
        let throw = self.world.below(1000);
        let mut book = self.book();
        let fault = book.faults.throw(throw);
        let is_check = path == "/payer-checks";
        if !is_check {
            book.counts.deliveries += 1;
            book.counts.faulty += usize::from(fault != Fault::None);
        }
        let mut act = || match path {
            "/charges" => book.take(key, body),
            "/provisioning" => book.provision(key, body),
            _ => book.check(body),
        };
        match fault {
            Fault::Refused if !is_check => {
                Played::Answer(json_answer(422, &json!({"error": "this is not wanted"})))
            }
            Fault::None | Fault::Refused => Played::Answer(act()),
            Fault::Slow => Played::Late(act()),
            Fault::LostRequest => Played::Broken,
            Fault::Error => Played::Answer(json_answer(500, &json!({"error": "out of order"}))),
            Fault::ProxyPage => Played::Answer(answer(200, Bytes::from_static(b"<html>Welcome</html>"))),
            Fault::Duplicate => {
                act();
                Played::Answer(act())
            }
            Fault::LostAnswer | Fault::Silence | Fault::ErrorAfter | Fault::Garbage => {
                act();
                match fault {
                    Fault::LostAnswer => Played::Broken,
                    Fault::Silence => Played::Silence,
                    Fault::Garbage => Played::Answer(answer(200, Bytes::from_static(b"\x00\xff{\"id\":"))),
                    _ => Played::Answer(json_answer(500, &json!({"error": "out of order"}))),
                }
            }
        }
    }
}

impl Book {
    /// Takes an event once by its key.
    fn take(&mut self, key: Option<&str>, body: &[u8]) -> Response<Bytes> {
        let event = serde_json::from_slice::<ChargeMessage>(body).ok();
        let event = event.filter(|event| Some(event.id.to_string().as_str()) == key);
        let Some(event) = event else {
            return json_answer(422, &json!({"error": "not a charge event under its own key"}));
        };
        if let Some(place) = self.known.get(&event.id) {
            self.counts.repeats += 1;
            let same = self.record.get(*place) == Some(&event);
            return json_answer(if same { 409 } else { 422 }, &json!({"id": event.id}));
        }
        let account = self.accounts.entry(event.number.clone()).or_default();
        let hundredths = event.amount.hundredths();
        let change = if event.kind == ChargeKind::Reversal { hundredths } else { -hundredths };
        account.balance = account.balance.map(|balance| balance.saturating_add(change));
        self.known.insert(event.id, self.record.len());
        let id = event.id;
        self.record.push(event);
        json_answer(201, &json!({"id": id}))
    }

    /// Starts or stops a service once by the call's key.
    fn provision(&mut self, key: Option<&str>, body: &[u8]) -> Response<Bytes> {
        let call = serde_json::from_slice::<ProvisioningMessage>(body).ok();
        let Some(call) = call.filter(|call| Some(call.id.as_str()) == key) else {
            return json_answer(422, &json!({"error": "not a call under its own key"}));
        };
        if let Some(known) = self.provisioned.iter().find(|known| known.id == call.id) {
            self.counts.repeats += 1;
            return json_answer(if *known == call { 409 } else { 422 }, &json!({"id": call.id}));
        }
        let id = call.id.clone();
        self.provisioned.push(call);
        json_answer(201, &json!({"id": id}))
    }

    fn check(&mut self, body: &[u8]) -> Response<Bytes> {
        self.counts.checks += 1;
        let Ok(question) = serde_json::from_slice::<PayerQuestion>(body) else {
            return json_answer(422, &json!({"error": "not a question about a payer"}));
        };
        let account = self.accounts.get(&question.number).copied().unwrap_or_default();
        let enough = account.balance.is_none_or(|balance| balance >= question.amount.hundredths());
        json_answer(200, &PayerWord { allowed: !account.barred && enough })
    }
}

fn answer(status: u16, body: Bytes) -> Response<Bytes> {
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    answer
}

fn json_answer(status: u16, body: &impl Serialize) -> Response<Bytes> {
    answer(status, serde_json::to_vec(body).unwrap_or_default().into())
}

fn key_of<T>(request: &Request<T>) -> Option<String> {
    request.headers().get("idempotency-key")?.to_str().ok().map(str::to_owned)
}

impl Transport for Simulator {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        async move {
            match self.play(request.uri().path(), key_of(&request).as_deref(), request.body()) {
                Played::Answer(answer) => Ok(answer),
                Played::Late(answer) => {
                    tokio::task::yield_now().await;
                    Ok(answer)
                }
                // Without a socket nobody needs to wait to learn that nothing comes.
                Played::Broken | Played::Silence => Err(TransportError::Unknown),
            }
        }
        .boxed()
    }
}

/// The interface and the control, for a socket.
pub fn routes(simulator: Simulator) -> Router {
    Router::new()
        .route("/charges", post(serve))
        .route("/payer-checks", post(serve))
        .route("/provisioning", post(serve))
        .route("/record", get(record))
        .route("/provisioned", get(async |State(simulator): State<Simulator>| Json(simulator.provisioned())))
        .route("/counts", get(async |State(simulator): State<Simulator>| Json(simulator.counts())))
        .route("/faults", put(set_faults))
        .route("/payers/{number}", put(set_account))
        .with_state(simulator)
}

async fn serve(State(simulator): State<Simulator>, request: Incoming) -> Outgoing {
    let (key, path) = (key_of(&request), request.uri().path().to_owned());
    let body = to_bytes(request.into_body(), limits::count(limits::BODY_BYTES_MAX)).await;
    let Ok(body) = body else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    match simulator.play(&path, key.as_deref(), &body) {
        Played::Answer(answer) => answer.map(Body::from),
        Played::Late(answer) => {
            tokio::time::sleep(LATE).await;
            answer.map(Body::from)
        }
        Played::Broken => {
            // A body that fails cuts the connection in the middle of the answer.
            let torn = futures::stream::iter([Ok(Bytes::from_static(b"{\"id\":")), Err("cut")]);
            Response::new(Body::from_stream(torn))
        }
        Played::Silence => {
            tokio::time::sleep(SILENCE).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
    }
}

async fn record(State(simulator): State<Simulator>) -> Outgoing {
    let mut lines = Vec::new();
    for event in simulator.record() {
        lines.extend(serde_json::to_vec(&event).unwrap_or_default());
        lines.push(b'\n');
    }
    lines.into_response()
}

async fn set_faults(State(simulator): State<Simulator>, Json(faults): Json<Faults>) -> StatusCode {
    simulator.set_faults(faults);
    StatusCode::NO_CONTENT
}

async fn set_account(
    State(simulator): State<Simulator>,
    Path(number): Path<String>,
    Json(account): Json<Account>,
) -> StatusCode {
    simulator.set_account(&number, account);
    StatusCode::NO_CONTENT
}

/// Serves a simulator on a socket until the task is dropped.
///
/// # Errors
/// The socket's.
pub async fn listen(simulator: Simulator, listener: tokio::net::TcpListener) -> std::io::Result<Infallible> {
    axum::serve(listener, routes(simulator)).await?;
    std::future::pending().await
}
