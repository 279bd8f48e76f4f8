//! A platform that loses requests and answers, fails before and after it acted, answers nonsense, and tells its events
//! twice, late, in any order or not at all. It keeps a record of what it did.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use domain::order::{OrderState, Reason};
use domain::world::World;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tmf::{Event, EventBody, ProductOrder, ProductOrderCreate, Transport, TransportError};

/// What it does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    None,
    NotReached,
    LostOnTheWay,
    AnswerLost,
    ErrorBefore,
    ErrorAfter,
    Garbage,
    AnotherOrder,
    Redirect,
    TooManyRequests,
    LyingRefusal,
}

const FAULTS: [Fault; 10] = [
    Fault::NotReached,
    Fault::LostOnTheWay,
    Fault::AnswerLost,
    Fault::ErrorBefore,
    Fault::ErrorAfter,
    Fault::Garbage,
    Fault::AnotherOrder,
    Fault::Redirect,
    Fault::TooManyRequests,
    Fault::LyingRefusal,
];

/// One order, in its record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) state: OrderState,
    pub(crate) reason: Option<Reason>,
    /// How often the service was started for it.
    pub(crate) activations: u32,
}

impl Record {
    fn wire(&self, external_id: &str) -> ProductOrder {
        let mut order = ProductOrder {
            id: self.id.clone(),
            external_id: Some(external_id.to_owned()),
            state: self.state.word().to_owned(),
            ..ProductOrder::default()
        };
        if let Some(reason) = self.reason {
            order.set_reason(reason);
        }
        order
    }
}

/// Reproducible chance.
struct Dice(u64);

impl Dice {
    /// Below a bound. Source: Marsaglia, "Xorshift RNGs", 2003.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

struct State {
    dice: Dice,
    clock: World,
    told: i64,
    /// In a hundred calls so many go wrong.
    faulty: usize,
    /// It acts, or not, and nobody ever gets an answer.
    is_away: bool,
    orders: BTreeMap<String, Record>,
    events: Vec<Event>,
    faults: BTreeMap<Fault, u32>,
}

/// The platform; cheap to clone.
#[derive(Clone)]
pub(crate) struct Faulty(Arc<Mutex<State>>);

impl Faulty {
    pub(crate) fn new(seed: u64, clock: World) -> Self {
        let (dice, orders, faults) = (Dice(seed), BTreeMap::new(), BTreeMap::new());
        let state =
            State { dice, clock, told: 0, faulty: 50, is_away: false, orders, events: Vec::new(), faults };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn go_away(&self, is_away: bool) {
        self.0.lock().unwrap().is_away = is_away;
    }

    pub(crate) fn behave(&self) {
        self.0.lock().unwrap().faulty = 0;
    }

    pub(crate) fn record(&self) -> BTreeMap<String, Record> {
        self.0.lock().unwrap().orders.clone()
    }

    pub(crate) fn faults(&self) -> BTreeMap<Fault, u32> {
        self.0.lock().unwrap().faults.clone()
    }

    /// Every open order goes on, or not; whether any is open still.
    pub(crate) fn go_on(&self) -> bool {
        let mut state = self.0.lock().unwrap();
        let open: Vec<String> = state
            .orders
            .iter()
            .filter(|(_, order)| !order.state.is_final())
            .map(|(id, _)| id.clone())
            .collect();
        for id in &open {
            if state.dice.below(3) > 0 {
                state.step(id);
            }
        }
        !open.is_empty()
    }

    /// The events to deliver now: some again, some later, some never; in any order.
    pub(crate) fn events(&self) -> Vec<Event> {
        let mut state = self.0.lock().unwrap();
        let all = std::mem::take(&mut state.events);
        let mut now = Vec::new();
        for event in all {
            match state.dice.below(8) {
                0 => {}
                1 => now.extend([event.clone(), event]),
                2 => {
                    now.push(event.clone());
                    state.events.push(event);
                }
                3 => state.events.push(event),
                _ => now.push(event),
            }
        }
        for last in (1..now.len()).rev() {
            let other = state.dice.below(last + 1);
            now.swap(last, other);
        }
        now
    }
}

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if self.is_away {
            // Half of what comes is acted upon all the same.
            if self.dice.below(2) == 0 {
                self.act(request);
            }
            return Err(TransportError::Unknown);
        }
        let fault = if self.dice.below(100) < self.faulty {
            FAULTS[self.dice.below(FAULTS.len())]
        } else {
            Fault::None
        };
        *self.faults.entry(fault).or_default() += 1;
        let refused = |status, code: &str| Ok(said(status, &json!({ "code": code, "reason": "so it is" })));
        match fault {
            Fault::NotReached => return Err(TransportError::NotSent),
            Fault::LostOnTheWay => return Err(TransportError::Unknown),
            Fault::ErrorBefore => return refused(500, "internal"),
            Fault::Redirect => return Ok(said(302, &json!("elsewhere"))),
            Fault::TooManyRequests => return refused(429, "slowly"),
            _ => {}
        }
        let (status, body) = self.act(request);
        match fault {
            Fault::AnswerLost => Err(TransportError::Unknown),
            Fault::ErrorAfter => refused(503, "later"),
            Fault::LyingRefusal if request.method() == Method::POST => refused(400, "no"),
            Fault::Garbage => Ok(said(200, &json!("<html>a proxy's page</html>"))),
            Fault::AnotherOrder if body.is_object() && status < 300 => {
                let other = json!({ "id": "another", "externalId": "another", "state": "completed" });
                Ok(said(status, &other))
            }
            _ => Ok(said(status, &body)),
        }
    }

    /// Does what is asked.
    fn act(&mut self, request: &Request<Bytes>) -> (u16, Value) {
        let path = request.uri().path();
        if request.method() == Method::POST {
            let order: ProductOrderCreate = serde_json::from_slice(request.body()).unwrap();
            let external_id = order.external_id.unwrap();
            if !self.orders.contains_key(&external_id) {
                self.take(&external_id);
            }
            return (201, json!(self.orders[&external_id].wire(&external_id)));
        }
        if let Some(query) = request.uri().query() {
            let external_id = query.strip_prefix("externalId=").unwrap();
            let found = self.orders.get(external_id).map(|order| order.wire(external_id));
            return (200, json!(found.into_iter().collect::<Vec<_>>()));
        }
        let id = path.rsplit('/').next().unwrap();
        let found = self.orders.iter().find(|(_, order)| order.id == id);
        match found {
            Some((external_id, order)) => (200, json!(order.wire(external_id))),
            None => (404, json!({ "code": "notFound", "reason": "no such order" })),
        }
    }

    fn take(&mut self, external_id: &str) {
        let id = format!("po-{}", self.orders.len());
        let rejected = self.dice.below(5) == 0;
        let state = if rejected { OrderState::Rejected } else { OrderState::Acknowledged };
        let reason = rejected.then_some(Reason::AlreadySubscribed);
        self.orders.insert(external_id.to_owned(), Record { id, state, reason, activations: 0 });
        self.tell(external_id);
        for _ in 0..self.dice.below(3) {
            self.step(external_id);
        }
    }

    /// One transition that the table allows.
    fn step(&mut self, external_id: &str) {
        let Some(order) = self.orders.get_mut(external_id) else { return };
        let next = order.state.next();
        if next.is_empty() {
            return;
        }
        order.state = next[self.dice.below(next.len())];
        match order.state {
            OrderState::Completed => order.activations += 1,
            OrderState::Cancelled => order.reason = Some(Reason::ConfirmationTimeout),
            OrderState::Failed => order.reason = Some(Reason::ActivationFailed),
            _ => {}
        }
        self.tell(external_id);
    }

    fn tell(&mut self, external_id: &str) {
        self.told += 1;
        let order = self.orders[external_id].wire(external_id);
        let time: Timestamp = self.clock.now() + SignedDuration::from_micros(self.told % 1_000);
        self.events.push(Event {
            event_id: self.told.to_string(),
            event_time: time,
            event_type: "ProductOrderStateChangeEvent".to_owned(),
            event: EventBody { product_order: Some(order), ..EventBody::default() },
        });
    }
}

fn said(status: u16, body: &Value) -> Response<Bytes> {
    let body = Bytes::from(serde_json::to_vec(body).unwrap());
    Response::builder().status(status).body(body).unwrap()
}

impl Transport for Faulty {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let answer = self.0.lock().unwrap().answer(&request);
        Box::pin(std::future::ready(answer))
    }
}
