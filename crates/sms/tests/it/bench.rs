//! What the tests share: a store, a centre, the role between them, and a clock that runs fast.

use std::future::Future;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use domain::Msisdn;
use domain::ids::TextId;
use domain::world::{SeededDice, SetClock, World, after_seconds};
use smpp::simulator::{Config, Faults, ShownText, Simulator};
use sms::{CentreConfig, Link, Sms, SmsConfig};
use store::jobs::JobKind;
use store::texts::{InboundText, NewText, TextPurpose, TextState};
use store::{MasterKey, Store, StoreError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Noon, 22 November 2026, UTC.
const START_MS: i64 = 1_795_348_800_000;
pub(crate) const SENDER: &str = "10690001";
pub(crate) const PHONE: &str = "+8613800138000";

/// One store and the clock that it and the role read.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) world: World,
    pub(crate) clock: Arc<SetClock>,
    _directory: Option<tempfile::TempDir>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::at_ms(START_MS));
        let world = World::new(Arc::clone(&clock) as _, Arc::new(SeededDice::new(1)));
        let keys = MasterKey::from_secret([7; 32]);
        let store = Store::open_embedded(directory.path(), &keys, world.clone()).unwrap();
        Self { store, world, clock, _directory: Some(directory) }
    }

    /// On a database that other processes may share; `None` where there is none and nobody insists.
    pub(crate) async fn shared(name: &str) -> Option<Self> {
        let Ok(url) = std::env::var("HUTONG_TEST_POSTGRES") else {
            assert!(std::env::var("CI").is_err(), "CI must test PostgreSQL: run cargo xtask test");
            return None;
        };
        let name = format!("sms_{}_{name}", std::process::id());
        let create = format!("CREATE DATABASE {name}");
        let made = Command::new("psql").args([&format!("{url}/postgres"), "-qc", &create]).status();
        assert!(made.unwrap().success(), "psql refused");
        let clock = Arc::new(SetClock::at_ms(START_MS));
        let world = World::new(Arc::clone(&clock) as _, Arc::new(SeededDice::new(1)));
        let keys = MasterKey::from_secret([7; 32]);
        let store = Store::open_postgres(&format!("{url}/{name}"), &keys, world.clone()).await.unwrap();
        Some(Self { store, world, clock, _directory: None })
    }

    /// Queues a text for [`PHONE`]; its reference is the body.
    pub(crate) async fn queue(&self, purpose: TextPurpose, body: &str) -> TextId {
        self.queue_until(purpose, body, 86_400).await
    }

    /// Queues texts of both kinds that differ most in what may happen to them: sign-in codes, which go once, and
    /// confirmations, which may go twice.
    pub(crate) async fn queue_mixed(&self, count: usize) -> Vec<(TextId, TextPurpose, String)> {
        let mut texts = Vec::new();
        for n in 0..count {
            let purpose = if n % 2 == 0 { TextPurpose::SignIn } else { TextPurpose::Confirmation };
            let body = format!("{} {n}", purpose.word());
            texts.push((self.queue(purpose, &body).await, purpose, body));
        }
        texts
    }

    pub(crate) async fn queue_until(&self, purpose: TextPurpose, body: &str, lives_s: i64) -> TextId {
        let text = NewText {
            id: TextId(self.world.uuid()),
            purpose,
            to: Msisdn::parse_e164(PHONE).unwrap(),
            suffix: "42".to_owned(),
            body: body.to_owned(),
            not_after: after_seconds(self.world.now(), lives_s),
            reference: Some(body.to_owned()),
        };
        let id = text.id;
        self.store.write::<_, StoreError, _>(move |tx| tx.texts().enqueue(&text)).await.unwrap();
        id
    }

    /// Takes what is due as a process would that dies before it sends the first byte.
    pub(crate) async fn take_and_die(&self) {
        self.store.write::<_, StoreError, _>(|tx| tx.texts().take_due(100).map(drop)).await.unwrap();
    }

    pub(crate) async fn state(&self, id: TextId) -> TextState {
        self.store.read::<_, StoreError, _>(move |view| view.texts().find_state(id)).await.unwrap().unwrap()
    }

    /// Waits until a text stands so, while time runs.
    pub(crate) async fn comes_to(&self, id: TextId, state: TextState) {
        self.until(async || self.state(id).await == state).await;
    }

    /// What was told about texts with a reference, as (reference, state), and forgets it.
    pub(crate) async fn told(&self) -> Vec<(String, String)> {
        let payloads = self.payloads(JobKind::TextSettled).await;
        let word = |payload: &serde_json::Value, name: &str| payload[name].as_str().unwrap().to_owned();
        payloads.iter().map(|payload| (word(payload, "reference"), word(payload, "state"))).collect()
    }

    /// The texts that `ReadReply` jobs are about, and forgets the jobs.
    pub(crate) async fn replies(&self) -> Vec<InboundText> {
        let mut replies = Vec::new();
        for payload in self.payloads(JobKind::ReadReply).await {
            let id: TextId = payload["text"].as_str().unwrap().parse().unwrap();
            let found = self.store.read::<_, StoreError, _>(move |view| view.texts().find_inbound(id)).await;
            replies.push(found.unwrap().unwrap());
        }
        replies
    }

    async fn payloads(&self, kind: JobKind) -> Vec<serde_json::Value> {
        let take = move |tx: &mut store::Tx<'_>| {
            let jobs = tx.jobs().lease(&[kind], 1_000)?;
            jobs.iter().try_for_each(|job| tx.jobs().finish(job))?;
            jobs.iter().map(|job| job.payload()).collect::<Result<_, StoreError>>()
        };
        self.store.write(take).await.unwrap()
    }

    /// Waits for a condition while the clock runs, twenty seconds for one.
    pub(crate) async fn until(&self, mut holds: impl AsyncFnMut() -> bool) {
        for _ in 0..1_200 {
            if holds().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.clock.advance_s(1);
        }
        panic!("what was waited for did not come");
    }

    /// Lets the clock run so many seconds, for what must not happen meanwhile.
    pub(crate) async fn pass_s(&self, seconds: usize) {
        for _ in 0..seconds {
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.clock.advance_s(1);
        }
    }
}

/// The role at work.
pub(crate) struct Running {
    pub(crate) link: Link,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(bench: &Bench, address: SocketAddr) -> Self {
        Self::start_with(bench, address, |_| {})
    }

    pub(crate) fn start_with(
        bench: &Bench,
        address: SocketAddr,
        change: impl FnOnce(&mut CentreConfig),
    ) -> Self {
        let mut config = SmsConfig::new("127.0.0.1", address.port(), "test", "test", SENDER);
        change(&mut config.centres[0]);
        Self::with(bench, config)
    }

    pub(crate) fn with(bench: &Bench, config: SmsConfig) -> Self {
        let sms = Sms::new(bench.store.clone(), bench.world.clone(), config);
        let link = sms.link();
        let stop = CancellationToken::new();
        let task = tokio::spawn(sms.run(stop.clone().cancelled_owned()));
        Self { link, stop, task }
    }

    /// Ends the role as a kill would: nothing is waited for and nothing written down.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// A simulated centre with faults.
pub(crate) async fn centre(faults: Faults) -> Simulator {
    centre_at(free_address().await, faults).await
}

pub(crate) async fn centre_at(address: SocketAddr, faults: Faults) -> Simulator {
    let started = std::time::Instant::now();
    let since = move || i64::try_from(started.elapsed().as_millis()).unwrap();
    let mut config = Config::new(Arc::new(move || START_MS + since()));
    config.redeliver_after = Duration::from_millis(10);
    config.faults = faults;
    let listener = TcpListener::bind(address).await.unwrap();
    let control = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Simulator::start(listener, control, config).await
}

/// An address where nobody listens, yet.
pub(crate) async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// What [`PHONE`] shows.
pub(crate) async fn screen(centre: &Simulator) -> Vec<String> {
    centre.texts(PHONE).await.into_iter().map(|ShownText { text, .. }| text).collect()
}

/// Says that a future is done within what the test runner allows.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("what was waited for did not come")
}
