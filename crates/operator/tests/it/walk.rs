//! A walk through every call: each leaves its row in the audit log, done or refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use domain::Region;
use domain::catalogue::Provider;
use domain::key::ContactKey;
use domain::world::{SeededDice, SetClock, World};
use edge::operator::{Door, OperatorToken, Scope};
use futures::future::BoxFuture;
use http::Request;
use http_body_util::BodyExt;
use jiff::civil::Date;
use operator::{Ended, Operators, Parts, PlatformDesk, SCOPES, SeedRefused, Seeded};
use serde_json::{Value, json};
use store::audit::{Actor, AuditAction, AuditEntry, AuditRow};
use store::jobs::{Job, JobKind};
use store::{MasterKey, Store, StoreError, Tx};
use tower::ServiceExt;

const ALL: &str = "a-token-for-everything";
const NOTHING_MUCH: &str = "a-token-for-hardly-anything";

/// A platform that does what it must in the same write, and no more.
struct Desk(Store);

impl PlatformDesk for Desk {
    fn seed(&self, json: Bytes, actor: Actor) -> BoxFuture<'_, Result<Seeded, SeedRefused>> {
        Box::pin(async move {
            if serde_json::from_slice::<Value>(&json).is_err() {
                return Err(SeedRefused::Faults(vec![("$".to_owned(), "is not JSON".to_owned())]));
            }
            let write = move |tx: &mut Tx<'_>| {
                tx.audit().append(&AuditEntry::new(actor.clone(), AuditAction::Seeded))
            };
            self.0.write::<_, StoreError, _>(write).await.map_err(SeedRefused::Store)?;
            Ok(Seeded { providers: 1, offerings: 0, subscriptions: 0, payers: 0 })
        })
    }

    fn today(&self) -> Date {
        "2026-11-23".parse().unwrap()
    }

    fn put_provider(&self, tx: &mut Tx<'_>, provider: &Provider) -> Result<(), StoreError> {
        tx.platform().put_provider(provider).map(drop)
    }

    fn end_customer(
        &self,
        _: &mut Tx<'_>,
        _: ContactKey,
        _: &Actor,
        _: jiff::Timestamp,
    ) -> Result<Ended, StoreError> {
        Ok(Ended::default())
    }
}

struct House {
    router: Router,
    store: Store,
    _directory: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::at_ms(1_795_348_800_000));
        let world = World::new(clock, Arc::new(SeededDice::new(5)));
        let keys = MasterKey::from_secret([3; 32]);
        let store = Store::open_embedded(directory.path(), &keys, world.clone()).unwrap();
        let token = |name: &str, token: &str, scopes: &[Scope]| OperatorToken {
            name: name.to_owned(),
            token: token.to_owned(),
            scopes: scopes.to_vec(),
        };
        // Each call is refused to somebody: no scope stands for two of those that change something.
        let tokens =
            vec![token("all", ALL, Scope::ALL), token("little", NOTHING_MUCH, &[Scope::CatalogueRead])];
        let parts = Parts {
            accounts: true,
            exchange: true,
            platform: Some(Arc::new(Desk(store.clone()))),
            tells_platform: false,
        };
        let operators = Operators::new(store.clone(), world, Region::CN, parts);
        let router = operator::routes(operators, Door::new(tokens, false));
        let house = Self { router, store, _directory: directory };
        house.put_provider().await;
        house
    }

    async fn put_provider(&self) {
        let provider = json!({"id": "xx", "name": {"en": "XX"}, "kind": "other"});
        let provider: Provider = serde_json::from_value(provider).unwrap();
        let write = move |tx: &mut Tx<'_>| tx.platform().put_provider(&provider).map(drop);
        self.store.write::<_, StoreError, _>(write).await.unwrap();
    }

    /// A job that has failed for the last time; answers its id.
    async fn dead_letter(&self) -> i64 {
        let write = |tx: &mut Tx<'_>| {
            let now = "2026-01-01T00:00:00Z".parse().unwrap();
            let payload = json!({"key": 7, "n": 1});
            tx.jobs().enqueue(JobKind::SyncSubscriptions, &payload, now)?;
            let mut last = 0;
            for _ in 0..domain::limits::JOB_ATTEMPTS_MAX {
                let jobs: Vec<Job> = tx.jobs().lease(&[JobKind::SyncSubscriptions], 1)?;
                tx.jobs().give_back(&jobs[0], now, true)?;
                last = jobs[0].id;
            }
            Ok(last)
        };
        self.store.write::<_, StoreError, _>(write).await.unwrap()
    }

    async fn call(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, Value) {
        let mut request =
            Request::builder().method(method).uri(path).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap());
        let (parts, body) = answer.await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn log(&self) -> Vec<AuditRow> {
        let read = |view: &mut store::View<'_>| {
            assert!(view.audit().verify(&[])?.is_ok());
            view.audit().list_all()
        };
        let mut rows = self.store.read::<_, StoreError, _>(read).await.unwrap();
        rows.sort_by_key(|row| (row.at, row.chain, row.seq));
        rows
    }

    /// The rows that a call has added: who, what, and the refusal's code.
    async fn added(&self, before: &[AuditRow]) -> Vec<(String, String, Value)> {
        let rows = self.log().await.into_iter().filter(|row| !before.contains(row));
        let code = |row: &AuditRow| serde_json::from_str::<Value>(&row.detail).unwrap()["code"].clone();
        rows.map(|row| (row.actor.clone(), row.action.clone(), code(&row))).collect()
    }
}

/// A good request of each call: its address and its body.
async fn good(house: &House, path: &str) -> (String, &'static str) {
    let letter = if path.contains("dead-letters/") { house.dead_letter().await } else { 0 };
    let address = path.replace("{number}", "13800138001").replace(
        "{id}",
        &match path {
            path if path.contains("providers") => "xx".to_owned(),
            path if path.contains("dead-letters") => letter.to_string(),
            _ => "nothing".to_owned(),
        },
    );
    let body = match path {
        path if path.ends_with("/designation") => r#"{"from":"2026-01-01"}"#,
        path if path.ends_with("/bar") => r#"{"barred":true,"monthly_cap":"5.00"}"#,
        _ => "{}",
    };
    (address, body)
}

#[tokio::test]
async fn every_call_leaves_a_row_in_the_audit_log_also_when_it_is_refused() {
    let house = House::new().await;
    for (method, path, scope) in SCOPES {
        let (address, body) = good(&house, path).await;
        // There is no order here: this one call is done in the tests of the whole house.
        let found = *path != "/operator/v1/orders/{id}";

        let before = house.log().await;
        let (status, problem) = house.call(method, &address, None, body).await;
        assert_eq!((status, &problem["code"]), (401, &json!("auth/missing")), "{method} {path}");
        let row = ("operator/nobody".to_owned(), "refused".to_owned(), json!("auth/missing"));
        assert_eq!(house.added(&before).await, [row], "{method} {path}");

        let before = house.log().await;
        let (status, problem) = house.call(method, &address, Some(NOTHING_MUCH), body).await;
        assert_eq!((status, &problem["code"]), (403, &json!("auth/scope-missing")), "{method} {path}");
        assert!(problem["detail"].as_str().unwrap().contains(scope.word()), "{problem}");
        let row = ("operator/little".to_owned(), "refused".to_owned(), json!("auth/scope-missing"));
        assert_eq!(house.added(&before).await, [row], "{method} {path}");

        let before = house.log().await;
        let (status, answer) = house.call(method, &address, Some(ALL), body).await;
        let added = house.added(&before).await;
        assert_eq!(added.len(), 1, "{method} {path}: {answer}");
        assert_eq!(added[0].0, "operator/all");
        assert_eq!(
            (status < 300, added[0].1 != "refused"),
            (found, found),
            "{method} {path}: {status} {answer}"
        );

        let before = house.log().await;
        let (status, _) = house.call(method, &format!("{address}?strange=1"), Some(ALL), body).await;
        assert_eq!(status, 400, "{method} {path}");
        let row = ("operator/all".to_owned(), "refused".to_owned(), json!("request/malformed"));
        assert_eq!(house.added(&before).await, [row], "{method} {path}");
    }
    for row in house.log().await {
        for personal in ["13800138001", ALL, NOTHING_MUCH] {
            assert!(!format!("{row:?}").contains(personal), "something personal in the log");
        }
    }
}

#[test]
fn the_table_of_scopes_names_the_calls_of_the_document_and_no_others() {
    let document = serde_json::to_value(operator::document()).unwrap();
    let mut described = BTreeSet::new();
    for (path, verbs) in document["paths"].as_object().unwrap() {
        for verb in verbs.as_object().unwrap().keys() {
            described.insert((verb.to_uppercase(), path.clone()));
        }
    }
    let named = SCOPES.iter().map(|(verb, path, _)| ((*verb).to_owned(), (*path).to_owned()));
    assert_eq!(named.collect::<BTreeSet<_>>(), described);
}

#[tokio::test]
async fn strangers_cannot_fill_the_log() {
    let house = House::new().await;
    let limit = usize::try_from(domain::limits::AUDIT_REFUSALS_MINUTE_MAX).unwrap();
    for _ in 0..limit + 20 {
        house.call("GET", "/operator/v1/orders", None, "").await;
    }
    assert_eq!(house.log().await.len(), limit);
}

#[tokio::test]
async fn a_dead_letter_is_shown_without_whose_it_is_and_comes_back_to_life_once() {
    let house = House::new().await;
    let id = house.dead_letter().await;
    let (_, letters) = house.call("GET", "/operator/v1/dead-letters", Some(ALL), "").await;
    assert_eq!(letters["items"][0]["id"], id);
    assert_eq!(letters["items"][0]["about"], json!({"n": 1}));
    let retry = format!("/operator/v1/dead-letters/{id}/retry");
    assert_eq!(house.call("POST", &retry, Some(ALL), "").await.0, 204);
    assert_eq!(house.call("POST", &retry, Some(ALL), "").await.0, 404);
    let (_, letters) = house.call("GET", "/operator/v1/dead-letters", Some(ALL), "").await;
    assert_eq!(letters["items"], json!([]));
}

#[tokio::test]
async fn a_bar_is_set_shown_and_lifted() {
    let house = House::new().await;
    let bar = "/operator/v1/numbers/13800138001/bar";
    let set = json!({"barred": true, "monthly_cap": "50.00"});
    assert_eq!(house.call("PUT", bar, Some(ALL), &set.to_string()).await, (200, set.clone()));
    assert_eq!(house.call("GET", bar, Some(ALL), "").await, (200, set));
    assert_eq!(house.call("PUT", bar, Some(ALL), r#"{"barred":true,"monthly_cap":"-1"}"#).await.0, 422);
    assert_eq!(house.call("DELETE", bar, Some(ALL), "").await.0, 204);
    let lifted = json!({"barred": false, "monthly_cap": null});
    assert_eq!(house.call("GET", bar, Some(ALL), "").await, (200, lifted));
}

#[tokio::test]
async fn a_designation_has_its_dates_in_order_and_is_none_of_the_operators_own() {
    let house = House::new().await;
    let path = "/operator/v1/providers/xx/designation";
    let wrong = r#"{"from":"2026-02-01","until":"2026-01-01"}"#;
    assert_eq!(house.call("PUT", path, Some(ALL), wrong).await.0, 422);
    assert_eq!(house.call("PUT", "/operator/v1/providers/yy/designation", Some(ALL), "{}").await.0, 404);
    assert_eq!(house.call("PUT", path, Some(ALL), r#"{"from":"2026-11-23"}"#).await.0, 200);
    assert_eq!(house.call("DELETE", path, Some(ALL), "").await.0, 204);
    let id = domain::catalogue::ProviderId::parse("xx").unwrap();
    let read = move |view: &mut store::View<'_>| view.platform().find_provider(&id);
    let provider = house.store.read::<_, StoreError, _>(read).await.unwrap().unwrap();
    let today = "2026-11-23".parse().unwrap();
    assert_eq!(provider.standing_on(today), domain::catalogue::ProviderKind::Other);
}
