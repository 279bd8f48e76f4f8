//! All roles in this process, joined as the binary joins them, with a set clock and dice that can be set:
//! what two such houses are asked in the same way they answer in the same bytes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use bytes::Bytes;
use contacts::{Contacts, ContactsConfig, NumberCheck, Sessions, SignInLimits, TextLink};
use domain::ids::{SessionId, SubscriberId};
use domain::locale::Locale;
use domain::quota::Quota;
use domain::world::{Dice, SeededDice, SetClock, World};
use domain::{Msisdn, Region};
use edge::Authenticator;
use edge::operator::{Door, OperatorToken, Scope};
use exchange::{Exchange, SimCheck};
use futures::StreamExt;
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::civil::Date;
use platform::{Platform, PlatformConfig};
use serde_json::Value;
use store::audit::Actor;
use store::contacts::NewSession;
use store::jobs::Worker;
use store::{MasterKey, Store, StoreError};
use tmf::camara::{NumberChecks, Unanswered};
use tmf::{Transport, TransportError};
use tower::ServiceExt;

use self::in_process::{InProcess, LateBound};

#[path = "../../../src/house/in_process.rs"]
mod in_process;
#[path = "../../../src/house/operators.rs"]
#[allow(dead_code, reason = "the binary uses all of it")]
mod operators;

const START_MS: i64 = 1_790_000_000_000;

/// Dice that can be set anew, so that what is drawn in one step does not hang on the steps before.
struct SetDice(Mutex<SeededDice>);

impl Dice for SetDice {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().unwrap().fill(buffer);
    }
}

struct AlwaysUp;

impl TextLink for AlwaysUp {
    fn sends_within(&self, _: Duration) -> bool {
        true
    }
}

/// The operator's network: what it says of every number, and how often it was asked.
pub(crate) struct Network {
    pub(crate) says: Mutex<Result<bool, Unanswered>>,
    pub(crate) owners_asked: Mutex<Vec<Date>>,
    pub(crate) sims_asked: AtomicUsize,
}

impl Network {
    pub(crate) fn say(&self, word: Result<bool, Unanswered>) {
        *self.says.lock().unwrap() = word;
    }
}

impl NumberChecks for Network {
    fn has_new_owner(&self, _: Msisdn, after: Date) -> BoxFuture<'_, Result<bool, Unanswered>> {
        self.owners_asked.lock().unwrap().push(after);
        let says = *self.says.lock().unwrap();
        Box::pin(async move { says })
    }

    fn has_new_sim(&self, _: Msisdn, _: i64) -> BoxFuture<'_, Result<bool, Unanswered>> {
        self.sims_asked.fetch_add(1, Ordering::SeqCst);
        let says = *self.says.lock().unwrap();
        Box::pin(async move { says })
    }
}

/// A way whose answers a test can keep back.
#[derive(Default)]
pub(crate) struct Gate {
    shut: tokio::sync::RwLock<()>,
    arrived: AtomicUsize,
}

impl Gate {
    /// Keeps answers back until what it gives is dropped.
    pub(crate) async fn shut(&self) -> tokio::sync::RwLockWriteGuard<'_, ()> {
        let shut = self.shut.write().await;
        self.arrived.store(0, Ordering::SeqCst);
        shut
    }

    /// Waits until an answer is kept back.
    pub(crate) async fn one_waits(&self) {
        while self.arrived.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }
}

struct Gated(InProcess, Arc<Gate>);

impl Transport for Gated {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let answer = self.0.call(request).await;
            self.1.arrived.fetch_add(1, Ordering::SeqCst);
            let _passed = self.1.shut.read().await;
            answer
        })
    }
}

/// An answer, whole.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, self.body)
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

pub(crate) struct Inside {
    pub(crate) store: Store,
    pub(crate) router: Router,
    pub(crate) worker: Worker,
    pub(crate) clock: Arc<SetClock>,
    world: World,
    dice: Arc<SetDice>,
    platform: Platform,
    pub(crate) network: Arc<Network>,
    /// The way from the exchange to the platform, and the way of its events back.
    pub(crate) gate: Arc<Gate>,
    pub(crate) told: Arc<Gate>,
}

impl Inside {
    /// Opens a house in an empty directory.
    pub(crate) async fn embedded(directory: &std::path::Path) -> Self {
        let (clock, dice, world) = world();
        let store = Store::open_embedded(directory, &keys(), world.clone()).unwrap();
        Self::over(store, clock, dice, world).await
    }

    /// A house over a database of its own, where the test command has started a cluster.
    pub(crate) async fn postgres(name: &str) -> Option<Self> {
        Some(Self::on(&database(name)?).await)
    }

    /// A house over a database that others may use beside it.
    pub(crate) async fn on(url: &str) -> Self {
        let (clock, dice, world) = world();
        let store = Store::open_postgres(url, &keys(), world.clone()).await.unwrap();
        Self::over(store, clock, dice, world).await
    }

    async fn over(store: Store, clock: Arc<SetClock>, dice: Arc<SetDice>, world: World) -> Self {
        let callbacks = Arc::new(LateBound::default());
        let internal = store.keys().operator_token().unwrap();
        let exchange = OperatorToken {
            name: platform::EXCHANGE.to_owned(),
            token: internal.clone(),
            scopes: Scope::ALL.to_vec(),
        };
        let config = PlatformConfig { door: Door::new(vec![exchange], false), ..PlatformConfig::default() };
        let platform = Platform {
            store: store.clone(),
            world: world.clone(),
            config: Arc::new(config),
            callbacks: callbacks.clone(),
        };
        let gate = Arc::new(Gate::default());
        let transport = InProcess::new(platform::routes(platform.clone()), Some(internal));
        let client = tmf::Client::new(Arc::new(Gated(transport, Arc::clone(&gate))));
        let network = Arc::new(Network {
            says: Mutex::new(Ok(false)),
            owners_asked: Mutex::default(),
            sims_asked: AtomicUsize::new(0),
        });
        let sim = SimCheck { network: network.clone(), hours: 72 };
        let exchange =
            Exchange::new(store.clone(), world.clone(), client.clone(), Region::CN).asking(Some(sim));
        let listener = exchange::listener::routes(exchange.clone());
        let told = Arc::new(Gate::default());
        callbacks.bind(Arc::new(Gated(InProcess::new(listener, None), Arc::clone(&told))));
        let callback =
            format!("{}{}", in_process::CALLBACK_BASE, exchange::listener::callback_path(&exchange));
        client.register_hub(&callback).await.unwrap();
        let mut handlers = platform::jobs(platform.clone());
        handlers.extend(exchange::jobs(&exchange));
        let config = ContactsConfig {
            prefixes: vec!["+86".to_owned()],
            region: Region::CN,
            sign_in: SignInLimits::default(),
            // Long runs change books tens of thousands of times in one moment.
            new_numbers: Quota { at_once: 1_000_000_000, ..Quota::default() },
        };
        let former = Arc::new(operators::Former(operators::parts(true, true, Some(platform.clone()))));
        let numbers = NumberCheck { network: network.clone(), former };
        let contacts = Contacts::new(store.clone(), world.clone(), config, Arc::new(AlwaysUp));
        let contacts = contacts.asking(Some(numbers));
        let authenticator = Extension(Authenticator(Arc::new(Sessions(store.clone()))));
        let v1 = exchange::routes(exchange.clone()).merge(contacts::routes(contacts)).layer(authenticator);
        let router = edge::shell(v1, world.clone());
        let worker = Worker::new(store.clone(), world.clone(), handlers);
        let house = Self { store, router, worker, clock, world, dice, platform, network, gate, told };
        house.seed(include_str!("../../../../../examples/catalogue.json")).await;
        exchange.begin_sync().await.unwrap();
        house.settle().await;
        house
    }

    /// Sets the dice, and lets a second go by.
    pub(crate) fn step(&self, seed: u64) {
        self.set_dice(seed);
        self.clock.advance_s(1);
    }

    /// Sets the dice alone.
    pub(crate) fn set_dice(&self, seed: u64) {
        *self.dice.0.lock().unwrap() = SeededDice::new(seed);
    }

    pub(crate) async fn seed(&self, json: &str) {
        self.seed_unsettled(json).await;
        self.settle().await;
    }

    /// The same, and nobody is told of it yet.
    pub(crate) async fn seed_unsettled(&self, json: &str) {
        platform::seed::seed(&self.platform, json.as_bytes(), Actor::Local).await.unwrap();
    }

    /// Asks for a sign-in code for a number: the registration's path, and the code.
    pub(crate) async fn code_for(&self, nobody: &Person, number: &str) -> (String, String) {
        let body = serde_json::json!({ "number": number }).to_string();
        let begun = self.call(nobody, Method::POST, "/v1/registrations", Some(&body), &[]).await;
        let id = begun.json()["registration_id"].as_str().unwrap().to_owned();
        let texts = self.store.write::<_, StoreError, _>(|tx| tx.texts().take_due(100)).await.unwrap();
        let text = texts.into_iter().rfind(|text| text.to.e164() == number).unwrap();
        let mut runs = text.body.split(|c: char| !c.is_ascii_digit());
        let code = runs.find(|run| run.len() == 6).unwrap().to_owned();
        (format!("/v1/registrations/{id}/confirm"), code)
    }

    /// Runs the jobs until none is due.
    pub(crate) async fn settle(&self) {
        self.worker.drain().await.unwrap();
    }

    /// Registers somebody, who allows everything; answers nothing, since the token is known.
    pub(crate) async fn register(&self, person: &Person) {
        let (number, token) = (Msisdn::parse_e164(&person.number).unwrap(), person.token.clone());
        let (subscriber, id) = (SubscriberId(self.world.uuid()), SessionId(self.world.uuid()));
        let session = NewSession { id, token, device: None };
        let write = move |tx: &mut store::Tx<'_>| {
            tx.contacts().sign_in(number, Locale::English, subscriber, &session).map(drop)
        };
        self.store.write::<_, StoreError, _>(write).await.unwrap();
        for consent in ["upload", "subscriptions"] {
            let given =
                self.call(person, Method::PUT, &format!("/v1/consents/{consent}"), Some("{}"), &[]).await;
            assert!(given.status.is_success(), "{given:?}");
        }
        self.settle().await;
    }

    /// One call of the subscriber interface.
    pub(crate) async fn call(
        &self,
        who: &Person,
        method: Method,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let response = self.begin(who, method, path, body, headers).await;
        let (mut parts, body) = response.into_parts();
        parts.headers.remove("x-request-id");
        let bytes = body.collect().await.unwrap().to_bytes();
        let mut body = String::from_utf8(bytes.to_vec()).unwrap();
        // The one thing in which two answers may differ.
        if let Some(id) =
            serde_json::from_str::<Value>(&body).ok().and_then(|v| Some(v["request_id"].as_str()?.to_owned()))
        {
            body = body.replace(&id, "-");
        }
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn begin(
        &self,
        who: &Person,
        method: Method,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> axum::response::Response {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("Bearer {}", who.token))
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711))));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_owned()));
        self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap()
    }

    pub(crate) async fn get(&self, who: &Person, path: &str) -> Answer {
        self.call(who, Method::GET, path, None, &[]).await
    }

    /// The whole event stream of somebody, up to the first word of `last`.
    pub(crate) async fn events(&self, who: &Person, last: &str) -> String {
        let response = self.begin(who, Method::GET, "/v1/events", None, &[("last-event-id", "0")]).await;
        let mut frames = response.into_body().into_data_stream();
        let mut text = String::new();
        while !text.contains(last) {
            let frame = tokio::time::timeout(Duration::from_secs(30), frames.next()).await;
            text.push_str(std::str::from_utf8(&frame.expect("an event").unwrap().unwrap()).unwrap());
        }
        text
    }

    /// Puts a book in place of the one before.
    pub(crate) async fn upload(&self, who: &Person, numbers: &[&str]) -> Answer {
        let body = serde_json::json!({ "numbers": numbers, "confirm_shrink": true }).to_string();
        self.call(who, Method::PUT, "/v1/book", Some(&body), &[]).await
    }

    /// Taps a share.
    pub(crate) async fn tap(&self, who: &Person, share: &str, key: &str) -> Answer {
        let body = serde_json::json!({ "share_id": share }).to_string();
        self.call(who, Method::POST, "/v1/orders", Some(&body), &[("idempotency-key", key)]).await
    }

    /// The id of somebody's subscription to an offering.
    pub(crate) async fn subscription(&self, who: &Person, offering: &str) -> Option<String> {
        let items = self.get(who, "/v1/subscriptions").await.json();
        let found = items["items"].as_array()?.iter().find(|one| one["offering"] == offering)?;
        Some(found["id"].as_str()?.to_owned())
    }

    /// Shares an offering of one's own, with everybody who matches or with some.
    pub(crate) async fn share(&self, who: &Person, offering: &str, only: Option<&[&str]>) -> Option<Answer> {
        let id = self.subscription(who, offering).await?;
        let audience =
            only.map_or_else(|| Value::from("matches"), |only| serde_json::json!({ "only": only }));
        let body = serde_json::json!({ "audience": audience }).to_string();
        Some(self.call(who, Method::PUT, &format!("/v1/subscriptions/{id}/share"), Some(&body), &[]).await)
    }

    /// What somebody sees in their feed of an offering.
    pub(crate) async fn card(&self, who: &Person, offering: &str) -> Option<String> {
        let feed = self.get(who, "/v1/feed").await.json();
        let found = feed["items"].as_array()?.iter().find(|one| one["offering"]["id"] == offering)?;
        Some(found["share_id"].as_str()?.to_owned())
    }

    /// A list at the platform's own face.
    pub(crate) async fn platform_list(&self, path: &str) -> Vec<Value> {
        let token = format!("Bearer {}", self.store.keys().operator_token().unwrap());
        let request = Request::get(path).header(AUTHORIZATION, token).body(Body::empty()).unwrap();
        let response = platform::routes(self.platform.clone()).oneshot(request).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Gives somebody the catalogue's services at the platform.
    pub(crate) async fn subscribe(&self, who: &Person, offerings: &[&str]) {
        let one = |offering: &&str| serde_json::json!({ "number": who.number, "offering": offering, "since": "2026-01-01T00:00:00Z" });
        let subscriptions: Vec<Value> = offerings.iter().map(one).collect();
        let seed = serde_json::json!({ "providers": [], "offerings": [], "subscriptions": subscriptions });
        self.seed(&seed.to_string()).await;
    }
}

/// Makes a database in the cluster that the test command has started; its address.
pub(crate) fn database(name: &str) -> Option<String> {
    let Ok(url) = std::env::var("HUTONG_TEST_POSTGRES") else {
        assert!(std::env::var("CI").is_err(), "CI must test PostgreSQL: run cargo xtask test");
        return None;
    };
    let name = format!("inside_{}_{name}", std::process::id());
    psql(&format!("{url}/postgres"), &format!("CREATE DATABASE {name}"));
    Some(format!("{url}/{name}"))
}

/// Runs a statement in a database.
pub(crate) fn psql(url: &str, sql: &str) {
    let run = std::process::Command::new("psql").args([url, "-qc", sql]).status();
    assert!(run.unwrap().success(), "psql refused");
}

fn world() -> (Arc<SetClock>, Arc<SetDice>, World) {
    let clock = Arc::new(SetClock::at_ms(START_MS));
    let dice = Arc::new(SetDice(Mutex::new(SeededDice::new(1))));
    (Arc::clone(&clock), Arc::clone(&dice), World::new(clock, dice))
}

fn keys() -> MasterKey {
    MasterKey::from_secret([9; 32])
}

/// Somebody with a number, and the token that they will have once registered.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) number: String,
    pub(crate) token: String,
}

impl Person {
    pub(crate) fn new(n: u64) -> Self {
        Self { number: format!("+861390000{n:04}"), token: format!("a-token-of-{n}") }
    }

    pub(crate) fn path(&self) -> String {
        self.number.replace('+', "%2B")
    }
}
