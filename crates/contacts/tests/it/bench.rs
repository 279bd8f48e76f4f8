//! The role with everything around it played: the SMS link, the network, the clock.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::{Extension, Router};
use contacts::{Contacts, ContactsConfig, Sessions, SignInLimits, TextLink};
use domain::Region;
use domain::quota::Quota;
use domain::world::{Clock, SeededDice, SetClock, World};
use edge::Authenticator;
use edge::operator::{Door, OperatorToken, Scope};
use serde_json::{Value, json};
use store::{MasterKey, Store, StoreError};
use tower::ServiceExt;

pub(crate) const DAY_S: i64 = 86_400;
pub(crate) const HOUR_S: i64 = 3_600;
/// The owner's own address, and this machine's.
pub(crate) const HOME: &str = "198.51.100.7";
pub(crate) const LOCAL: &str = "127.0.0.1";

/// A link over which a text takes a minute and a half.
struct Up;

impl TextLink for Up {
    fn sends_within(&self, limit: Duration) -> bool {
        limit > Duration::from_secs(90)
    }
}

pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) router: Router,
    pub(crate) limits: SignInLimits,
    new_numbers: Quota,
    clock: Arc<SetClock>,
    world: World,
    directory: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after_s: Option<i64>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    /// Status, code and the wait that was told.
    pub(crate) fn refusal(&self) -> (u16, &str, Option<i64>) {
        (self.status.as_u16(), self.code(), self.retry_after_s)
    }

    pub(crate) fn registration(&self) -> String {
        assert_eq!(self.status, StatusCode::ACCEPTED, "{}", self.body);
        self.body["registration_id"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn number(n: u64) -> String {
    format!("+861380000{n:04}")
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(SignInLimits::default())
    }

    pub(crate) fn with(limits: SignInLimits) -> Self {
        Self::with_quota(limits, Quota::default())
    }

    pub(crate) fn with_quota(limits: SignInLimits, new_numbers: Quota) -> Self {
        // Noon, 22 November 2026, UTC.
        let clock = Arc::new(SetClock::at_ms(1_795_348_800_000));
        let world = World::new(clock.clone(), Arc::new(SeededDice::new(5)));
        let directory = tempfile::tempdir().unwrap();
        let (store, router) = open(directory.path(), &world, limits, new_numbers);
        Self { store, router, limits, new_numbers, clock, world, directory }
    }

    /// Closes the store and opens it again.
    pub(crate) async fn restart(&mut self) {
        self.store.close().await;
        let placeholder = tempfile::tempdir().unwrap();
        (self.store, self.router) = open(placeholder.path(), &self.world, self.limits, self.new_numbers);
        (self.store, self.router) = open(self.directory.path(), &self.world, self.limits, self.new_numbers);
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.clock.now().as_second()
    }

    pub(crate) fn advance_s(&self, seconds: i64) {
        self.clock.advance_s(seconds);
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        from: &str,
        token: Option<&str>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let peer = SocketAddr::new(from.parse().unwrap(), 4711);
        let request = request.extension(ConnectInfo(peer)).body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let retry = response.headers().get("retry-after").map(|wait| wait.to_str().unwrap().parse().unwrap());
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, retry_after_s: retry, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    pub(crate) async fn begin(&self, number: &str, from: &str) -> Answer {
        self.call("POST", "/v1/registrations", Some(json!({ "number": number })), from, None).await
    }

    pub(crate) async fn confirm(&self, id: &str, code: &str, from: &str) -> Answer {
        let path = format!("/v1/registrations/{id}/confirm");
        self.call("POST", &path, Some(json!({ "code": code })), from, None).await
    }

    /// Sends what is queued, as the SMS link does; answers what each phone shows.
    pub(crate) async fn texts(&self) -> Vec<(String, String)> {
        let taken = self.store.write::<_, StoreError, _>(|tx| tx.texts().take_due(1_000)).await.unwrap();
        taken.into_iter().map(|text| (text.to.e164(), text.body)).collect()
    }

    /// The code in the newest text to a number.
    pub(crate) async fn code_for(&self, number: &str) -> String {
        let texts = self.texts().await;
        let (_, body) = texts.iter().rfind(|(to, _)| to == number).unwrap();
        body.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6).unwrap().to_owned()
    }

    /// Signs somebody in; answers the token.
    pub(crate) async fn sign_in(&self, number: &str) -> String {
        let id = self.begin(number, HOME).await.registration();
        let code = self.code_for(number).await;
        let answer = self.confirm(&id, &code, HOME).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body["token"].as_str().unwrap().to_owned()
    }
}

fn open(
    directory: &std::path::Path,
    world: &World,
    sign_in: SignInLimits,
    new_numbers: Quota,
) -> (Store, Router) {
    let keys = MasterKey::from_secret([3; 32]);
    let store = Store::open_embedded(directory, &keys, world.clone()).unwrap();
    let config =
        ContactsConfig { prefixes: vec!["+86".to_owned()], region: Region::CN, sign_in, new_numbers };
    let role = Contacts::new(store.clone(), world.clone(), config, Arc::new(Up));
    let callers = Authenticator(Arc::new(Sessions(store.clone())));
    let token = |name: &str, token: &str, scope| OperatorToken {
        name: name.to_owned(),
        token: token.to_owned(),
        scopes: vec![scope],
    };
    let tokens = vec![
        token("client", "a-client-of-the-operators", Scope::CodesWrite),
        token("reader", "reads-orders-alone-here", Scope::OrdersRead),
    ];
    let codes = contacts::one_time_password::routes(role.clone(), Door::new(tokens, false));
    let router = edge::shell(contacts::routes(role).layer(Extension(callers)).merge(codes), world.clone());
    (store, router)
}
