//! A platform with everything around it played: the SMS link, the listeners, the clock.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use domain::Msisdn;
use domain::charging::ChargeKind;
use domain::funnel::FunnelStep;
use domain::ids::TextId;
use domain::order::Reason;
use domain::world::{SeededDice, SetClock, World};
use edge::operator::{Door, OperatorToken, Scope};
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use platform::charging::Webhook;
use platform::charging::simulator::Simulator;
use platform::{Callbacks, Platform, PlatformConfig};
use serde_json::{Value, json};
use store::audit::Actor;
use store::jobs::{JobKind, Worker};
use store::texts::{NewInbound, TextState};
use store::{MasterKey, Store, StoreError};
use tmf::{Transport, TransportError};
use tower::ServiceExt;

use crate::documents;

pub(crate) const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
pub(crate) const CANCELS: &str = "/tmf-api/productOrderingManagement/v4/cancelProductOrder";
pub(crate) const PRODUCTS: &str = "/tmf-api/productInventory/v4/product";
pub(crate) const OFFERINGS: &str = "/tmf-api/productCatalogManagement/v4/productOffering";
pub(crate) const ANNA: &str = "+8613800138001";
pub(crate) const BEN: &str = "+8613800138002";
pub(crate) const TOKEN: &str = "the-operators-own";
pub(crate) const READER: &str = "reads-orders-alone";
pub(crate) const SENDER: &str = "10690001";

/// A listener that writes down what it is told.
#[derive(Default)]
pub(crate) struct Ear {
    pub(crate) told: Mutex<Vec<(String, Value)>>,
    pub(crate) deaf: Mutex<bool>,
    /// The call that is never answered, counted from 1.
    pub(crate) silent_at: Mutex<Option<usize>>,
    /// Told when that call has come.
    pub(crate) silent: tokio::sync::Notify,
}

impl Transport for Ear {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let deaf = *self.deaf.lock().unwrap();
        if !deaf {
            let body = serde_json::from_slice(request.body()).unwrap();
            self.told.lock().unwrap().push((request.uri().to_string(), body));
        }
        let answer = Response::builder().status(204).body(Bytes::new()).unwrap();
        if *self.silent_at.lock().unwrap() == Some(self.told.lock().unwrap().len()) {
            self.silent.notify_one();
            return Box::pin(std::future::pending());
        }
        Box::pin(async move { if deaf { Err(TransportError::NotSent) } else { Ok(answer) } })
    }
}

struct OnlyEar(Arc<Ear>);

impl Callbacks for OnlyEar {
    fn transport(&self, callback: &str) -> Option<Arc<dyn Transport>> {
        callback.starts_with("http://ear.test/").then(|| -> Arc<dyn Transport> { self.0.clone() })
    }
}

/// A text that a phone shows.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) to: String,
    pub(crate) suffix: String,
    pub(crate) body: String,
}

impl Shown {
    pub(crate) fn code(&self) -> String {
        let mut runs = self.body.split(|c: char| !c.is_ascii_digit());
        runs.find(|run| run.len() == 4).unwrap().to_owned()
    }
}

pub(crate) struct House {
    pub(crate) clock: Arc<SetClock>,
    pub(crate) platform: Platform,
    pub(crate) router: Router,
    pub(crate) ear: Arc<Ear>,
    worker: Worker,
    directory: tempfile::TempDir,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with(change: impl Fn(&mut PlatformConfig)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let start: Timestamp = "2026-03-01T02:00:00Z".parse().unwrap();
        let clock = Arc::new(SetClock::at_ms(start.as_millisecond()));
        let world = World::new(clock.clone(), Arc::new(SeededDice::new(7)));
        let keys = MasterKey::from_secret([3; 32]);
        let store = Store::open_embedded(directory.path(), &keys, world.clone()).unwrap();
        let mut config =
            PlatformConfig { door: door(false), sender: SENDER.to_owned(), ..PlatformConfig::default() };
        change(&mut config);
        let ear = Arc::new(Ear::default());
        let callbacks = Arc::new(OnlyEar(ear.clone()));
        let platform =
            Platform { store: store.clone(), world: world.clone(), config: Arc::new(config), callbacks };
        let worker = Worker::new(store, world, platform::jobs(platform.clone()));
        let router = platform::routes(platform.clone());
        let house = Self { clock, platform, router, ear, worker, directory };
        house.seed(&catalogue()).await;
        platform::charging::begin(&house.platform).await.unwrap();
        house
    }

    /// The same platform after its process has ended and begun again on the same data.
    pub(crate) async fn restarted(self) -> Self {
        let Self { clock, platform, router, ear, worker, directory } = self;
        let Platform { store, world, config, callbacks } = platform;
        drop((router, worker));
        store.close().await;
        drop(store);
        let keys = MasterKey::from_secret([3; 32]);
        let store = Store::open_embedded(directory.path(), &keys, world.clone()).unwrap();
        let platform = Platform { store: store.clone(), world: world.clone(), config, callbacks };
        let worker = Worker::new(store, world, platform::jobs(platform.clone()));
        let router = platform::routes(platform.clone());
        platform::charging::begin(&platform).await.unwrap();
        platform::provisioning::begin(&platform).await.unwrap();
        Self { clock, platform, router, ear, worker, directory }
    }

    /// A platform with a simulated charging system.
    pub(crate) async fn with_charging() -> (Self, Simulator) {
        let simulator = charging_system();
        let transport = Arc::new(simulator.clone());
        let house = Self::with(move |config| {
            config.charging = Some(Arc::new(Webhook::new(transport.clone())));
        });
        let house = house.await;
        house.seed(&periods()).await;
        (house, simulator)
    }

    /// A set clock's days go by; the timer looks as often as it would.
    pub(crate) async fn days(&self, days: i64) {
        self.clock.advance_s(days * 86_400);
        self.work().await;
    }

    /// Kind and period of what a customer was charged, in the order of the charging system's record.
    pub(crate) fn charged(simulator: &Simulator, number: &str) -> Vec<(ChargeKind, i64)> {
        let record = simulator.record();
        let of = record.iter().filter(|event| event.number == number);
        of.map(|event| (event.kind, event.period_no)).collect()
    }

    pub(crate) async fn seed(&self, seed: &Value) -> platform::seed::SeedReport {
        platform::seed::seed(&self.platform, seed.to_string().as_bytes(), Actor::Local).await.unwrap()
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> (StatusCode, http::HeaderMap, Value) {
        let (method, uri) = (request.method().to_string(), request.uri().to_string());
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let answer = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if !uri.contains("fields=") {
            documents::hold(&method, &uri, parts.status.as_u16(), &answer);
        }
        (parts.status, parts.headers, answer)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, http::HeaderMap, Value) {
        let request = Request::get(path).header("authorization", format!("Bearer {TOKEN}"));
        self.call(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, http::HeaderMap, Value) {
        let request = Request::post(path).header("authorization", format!("Bearer {TOKEN}"));
        self.call(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> (StatusCode, http::HeaderMap, Value) {
        let request = Request::patch(path).header("authorization", format!("Bearer {TOKEN}"));
        self.call(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (StatusCode, http::HeaderMap, Value) {
        let request = Request::delete(path).header("authorization", format!("Bearer {TOKEN}"));
        self.call(request.body(Body::empty()).unwrap()).await
    }

    /// What the audit log says: who did what.
    pub(crate) async fn audit(&self) -> Vec<(String, String)> {
        let read = |view: &mut store::View<'_>| view.audit().list_all();
        let rows = self.platform.store.read::<_, StoreError, _>(read).await.unwrap();
        rows.into_iter().map(|row| (row.actor, row.action)).collect()
    }

    /// Orders an offering and gives the order as answered.
    pub(crate) async fn order(&self, external_id: &str, number: &str, offering: &str) -> Value {
        let (status, _, order) = self.post(ORDERS, &add(external_id, number, offering)).await;
        assert_eq!(status, StatusCode::CREATED, "{order}");
        order
    }

    /// Orders the end of what a customer has of an offering.
    pub(crate) async fn unsubscribe(&self, external_id: &str, number: &str, product: &Value) -> Value {
        let body = json!({"externalId": external_id, "relatedParty": [{"id": number, "role": "customer"}],
            "productOrderItem": [{"id": "1", "action": "delete", "product": {"id": product}}]});
        let (status, _, order) = self.post(ORDERS, &body).await;
        assert_eq!(status, StatusCode::CREATED, "{order}");
        order
    }

    /// The order as it stands now: its state and its reason.
    pub(crate) async fn state(&self, order: &Value) -> (String, Option<Reason>) {
        let (status, _, order) = self.get(&format!("{ORDERS}/{}", order["id"].as_str().unwrap())).await;
        assert_eq!(status, StatusCode::OK);
        state_of(&order)
    }

    /// What a customer has: offering and status.
    pub(crate) async fn products(&self, number: &str) -> Vec<(String, String)> {
        let (_, _, products) =
            self.get(&format!("{PRODUCTS}?relatedParty.id={}", number.replace('+', "%2B"))).await;
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let products = products.as_array().unwrap().iter();
        products.map(|product| (word(&product["productOffering"]["id"]), word(&product["status"]))).collect()
    }

    /// Runs all jobs that are due.
    pub(crate) async fn work(&self) {
        self.worker.drain().await.unwrap();
    }

    /// Plays the SMS link: hands out the texts that are due, as accepted by the centre.
    pub(crate) async fn phones(&self) -> Vec<Shown> {
        self.phones_where(TextState::Accepted).await
    }

    /// The same, with each text ending in a state.
    pub(crate) async fn phones_where(&self, state: TextState) -> Vec<Shown> {
        let write = self.platform.store.write(move |tx| {
            let texts = tx.texts().take_due(100)?;
            let mut shown = Vec::new();
            for text in texts {
                match state {
                    TextState::Accepted => tx.texts().accept(text.id, "link", &[text.id.to_string()])?,
                    other => tx.texts().settle(text.id, text.sending, other)?,
                };
                if let Some(reference) = &text.reference {
                    let now = "1970-01-01T00:00:00Z".parse().unwrap();
                    let payload = json!({"reference": reference, "state": state.word()});
                    tx.jobs().enqueue(JobKind::TextSettled, &payload, now)?;
                }
                shown.push(Shown { to: text.to.e164(), suffix: text.suffix, body: text.body });
            }
            Ok::<_, StoreError>(shown)
        });
        let shown = write.await.unwrap();
        self.work().await;
        shown
    }

    /// The centre takes the texts that are due, and nobody hears of it.
    pub(crate) async fn accepted_unheard(&self) {
        let write = self.platform.store.write::<_, StoreError, _>(|tx| {
            for text in tx.texts().take_due(100)? {
                tx.texts().accept(text.id, "link", &[text.id.to_string()])?;
            }
            Ok(())
        });
        write.await.unwrap();
    }

    /// A phone sends a text to one of our addresses, and it is acted on.
    pub(crate) async fn reply(&self, from: &str, suffix: &str, body: &str) {
        self.receive(from, suffix, body).await;
        self.work().await;
    }

    /// A text comes in.
    pub(crate) async fn receive(&self, from: &str, suffix: &str, body: &str) {
        let (world, from) = (self.platform.world.clone(), Msisdn::parse_e164(from).unwrap());
        let (destination, body) = (format!("{SENDER}{suffix}"), body.to_owned());
        let write = self.platform.store.write(move |tx| {
            let id = TextId(world.uuid());
            // Each reply comes over a link of its own, so that a copy counts as a text of its own.
            let (account, destination, body) = (format!("link {id}"), destination.clone(), body.clone());
            assert!(tx.texts().receive(&NewInbound { id, account, from, destination, body })?);
            tx.jobs().enqueue(JobKind::ReadReply, &json!({"text": id}), world.now())
        });
        write.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    }

    pub(crate) async fn funnel(&self, step: FunnelStep) -> i64 {
        let read = self.platform.store.read(move |view| view.funnel().count(step, Timestamp::UNIX_EPOCH));
        read.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
    }

    /// How many charge events the products of a customer have caused.
    pub(crate) async fn charges(&self, number: &str) -> usize {
        let number = Msisdn::parse_e164(number).unwrap();
        let read = self.platform.store.read(move |view| {
            let mut platform = view.platform();
            let customers = Some(vec![platform.key_of(number)]);
            let filter = store::platform::ProductFilter { customers, ..Default::default() };
            let mut charges = 0;
            for product in platform.list_products(&filter, 0, 100)?.0 {
                charges += platform.list_charges(product.id)?.len();
            }
            Ok::<_, StoreError>(charges)
        });
        read.await.unwrap()
    }
}

/// The operator's door, with one token for everything and one to read orders alone.
pub(crate) fn door(open: bool) -> Door {
    let token = |name: &str, token: &str, scopes: &[Scope]| OperatorToken {
        name: name.to_owned(),
        token: token.to_owned(),
        scopes: scopes.to_vec(),
    };
    Door::new(vec![token("all", TOKEN, Scope::ALL), token("reader", READER, &[Scope::OrdersRead])], open)
}

/// A simulated charging system with dice of its own.
pub(crate) fn charging_system() -> Simulator {
    Simulator::new(World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(11))))
}

pub(crate) fn state_of(order: &Value) -> (String, Option<Reason>) {
    let order: tmf::ProductOrder = serde_json::from_value(order.clone()).unwrap();
    (order.state.clone(), order.reason())
}

pub(crate) fn add(external_id: &str, number: &str, offering: &str) -> Value {
    json!({"externalId": external_id, "channel": [{"id": "friend-share"}],
        "relatedParty": [{"id": number, "role": "customer"}],
        "productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": offering}}]})
}

pub(crate) fn catalogue() -> Value {
    let offering = |id: &str, provider: &str, chinese: &str, english: &str, amount: &str| {
        json!({"id": id, "provider": provider, "name": {"zh-CN": chinese, "en": english},
            "price": {"amount": amount, "currency": "CNY", "period": "month"}, "renews": true, "status": "active"})
    };
    let mut rival = offering("rival", "op", "对手", "Rival", "1.00");
    rival["conflicts_with"] = json!(["news"]);
    let mut old = offering("old", "op", "旧业务", "Old", "1.00");
    old["status"] = json!("retired");
    json!({
        "providers": [
            {"id": "op", "name": {"zh-CN": "中国移动", "en": "The operator"}, "kind": "own"},
            {"id": "xx", "name": {"zh-CN": "XX科技", "en": "XX Tech"}, "kind": "designated", "from": "2026-01-01", "until": null},
            {"id": "zz", "name": {"en": "Somebody"}, "kind": "other"}],
        "offerings": [
            offering("news", "op", "手机报", "News", "3.00"), offering("crbt", "xx", "彩铃包月", "Ring tones", "5.00"),
            offering("game", "xx", "游戏", "Games", "8.00"), offering("spam", "zz", "其他", "Other", "1.00"), rival, old]
    })
}

/// Services with other periods: one of a day, and one of a month that does not renew.
pub(crate) fn periods() -> Value {
    let offering = |id: &str, chinese: &str, amount: &str, period: &str, renews: bool| {
        json!({"id": id, "provider": "op", "name": {"zh-CN": chinese, "en": id},
            "price": {"amount": amount, "currency": "CNY", "period": period}, "renews": renews})
    };
    json!({"offerings": [offering("daily", "日报", "0.50", "day", true), offering("pass", "月票", "9.00", "month", false)]})
}
