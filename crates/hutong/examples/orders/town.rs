//! A town in which one person shares everything with everybody, and everybody orders it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use api::book::ReplaceBook;
use api::client::Client;
use api::consents::ConsentGiven;
use api::feed::FeedFilter;
use api::registration::{BeginRegistration, ConfirmRegistration};
use api::subscriptions::{Audience, SetShare};
use domain::consent::Consent;
use domain::order::Progress;
use futures::StreamExt;
use serde_json::{Value, json};
use smpp::simulator::{Config, Simulator};
use tokio::net::TcpListener;

const TOKEN: &str = "an-operator-token-of-the-bench";
const SHARER: &str = "+8613900139002";
/// What each person orders; few, as people have few services.
const OFFERINGS: usize = 10;
/// People who sign in, and read, at the same time.
const AT_ONCE: usize = 32;
const GLANCE: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(300);

/// Whose services are ordered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The operator's: they start at once.
    Own,
    /// A designated provider's: each is confirmed by text.
    Confirmed,
}

/// One tap that is to be made: who, on which share.
pub(crate) struct Tap {
    person: usize,
    share: String,
}

struct Person {
    client: Client,
    shares: Vec<String>,
}

pub(crate) struct Town {
    server: Child,
    metrics: String,
    http: reqwest::Client,
    people: Vec<Person>,
    kind: Kind,
    centre: Arc<Simulator>,
    /// Confirmations that were answered.
    answered: Arc<AtomicUsize>,
    _data: tempfile::TempDir,
}

impl Drop for Town {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Town {
    pub(crate) async fn start(binary: &str, kind: Kind, people: usize) -> Self {
        let local = || TcpListener::bind("127.0.0.1:0");
        let centre =
            Simulator::start(local().await.unwrap(), local().await.unwrap(), Config::new(Arc::new(|| 0)));
        let centre = Arc::new(centre.await);
        // On the machine's own disk: a durable commit costs what it costs.
        let data = tempfile::tempdir().unwrap();
        let (server, api, metrics) = serve(binary, data.path(), centre.smpp_addr().port());
        // The first of the process wins.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::new(&api).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let ready = format!("{metrics}/readyz");
        wait("the link to the centre", async || {
            http.get(&ready).send().await.ok()?.text().await.ok()?.contains("centre: ok").then_some(())
        })
        .await;
        let seed = http.post(format!("{api}/operator/v1/seed")).bearer_auth(TOKEN);
        let seeded = seed.header("content-type", "application/json").body(catalogue(kind).to_string());
        assert!(seeded.send().await.unwrap().status().is_success());
        let numbers: Vec<String> = (0..people).map(|person| format!("+86138{person:08}")).collect();
        let sharer = sign_in(&client, &centre, SHARER).await;
        upload(&sharer, numbers.clone()).await;
        share_all(&sharer).await;
        let settled = numbers.iter().map(|number| settle(&client, &centre, number));
        let people: Vec<_> = futures::stream::iter(settled).buffered(AT_ONCE).collect().await;
        let answered = answering(&centre);
        let town = Self { server, metrics, http, people, kind, centre, answered, _data: data };
        town.wait_until_idle().await;
        town
    }

    /// All taps, one person after the other.
    pub(crate) fn taps(&self) -> Vec<Tap> {
        let tap = |place: usize| {
            let of = |(person, one): (usize, &Person)| Tap { person, share: one.shares[place].clone() };
            self.people.iter().enumerate().map(of).collect::<Vec<_>>()
        };
        (0..OFFERINGS).flat_map(tap).collect()
    }

    /// Makes one tap; how long its answer took.
    pub(crate) async fn tap(&self, tap: &Tap) -> Duration {
        let began = Instant::now();
        let placed = self.people[tap.person].client.place_order(&tap.share, &tap.share).await;
        let took = began.elapsed();
        assert!(!placed.unwrap().state.is_final());
        took
    }

    /// Waits until every confirmation is answered and nothing is to be done any more.
    pub(crate) async fn quiet(&self, orders: usize) {
        if self.kind == Kind::Confirmed {
            let all = async || (self.answered.load(Ordering::SeqCst) >= orders).then_some(());
            wait("every prompt", all).await;
        }
        self.wait_until_idle().await;
    }

    async fn wait_until_idle(&self) {
        wait("the end of all work", async || {
            let said =
                self.http.get(format!("{}/metrics", self.metrics)).send().await.ok()?.text().await.ok()?;
            let gauge = |name: &str| {
                let line = said.lines().find(|line| line.starts_with(name) && !line.starts_with('#'));
                line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            };
            let open = gauge("jobs_due")? + gauge("texts_open")?;
            // Looking costs the servers something too.
            tokio::time::sleep(20 * GLANCE).await;
            (open == 0.0 && self.centre.deliveries_open() == 0).then_some(())
        })
        .await;
    }

    /// Every order is seen as completed by whoever placed it.
    pub(crate) async fn all_completed(&self, orders: usize) {
        let mut completed = 0;
        for person in &self.people {
            let page = person.client.orders(None).await.unwrap();
            completed += page.items.iter().filter(|order| order.state == Progress::Completed).count();
        }
        assert_eq!(completed, orders);
    }
}

fn serve(binary: &str, data: &std::path::Path, smpp: u16) -> (Child, String, String) {
    let mut command = Command::new(binary);
    let free = "127.0.0.1:0";
    command
        .args(["serve", "--listen", free, "--metrics", free, "--sms-port", &smpp.to_string(), "--data"])
        .arg(data.join("data"))
        .args(["--platform-operator-tokens", TOKEN])
        .env("HUTONG_LOG", "info")
        .env("NO_COLOR", "1")
        .current_dir(data);
    let mut server = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut find = |mark: &str| {
        lines.find_map(|line| line.split_once(mark)?.1.split('"').next().map(str::to_owned)).unwrap()
    };
    let metrics = find("metrics on ");
    let api = find("listening on ");
    // A pipe that nobody reads would fill and stop the server.
    std::thread::spawn(move || {
        lines.for_each(|line| {
            if line.contains("ERROR") {
                eprintln!("{line}")
            }
        })
    });
    (server, api, metrics)
}

fn catalogue(kind: Kind) -> Value {
    let provider = if kind == Kind::Own { "op" } else { "xx" };
    let offering = |n: usize| {
        json!({"id": format!("service{n}"), "provider": provider,
            "name": {"zh-CN": format!("彩铃包月{n}"), "en": format!("Ring tones {n}")},
            "price": {"amount": "5.00", "currency": "CNY", "period": "month"}})
    };
    let subscription = |n: usize| json!({"number": SHARER, "offering": format!("service{n}"), "since": "2026-01-01T00:00:00Z"});
    json!({
        "providers": [{"id": "op", "name": {"zh-CN": "中国移动"}, "kind": "own"},
            {"id": "xx", "name": {"zh-CN": "XX科技"}, "kind": "designated"}],
        "offerings": (0..OFFERINGS).map(offering).collect::<Vec<_>>(),
        "subscriptions": (0..OFFERINGS).map(subscription).collect::<Vec<_>>(),
    })
}

/// The phones answer each confirmation with its code, as it comes.
fn answering(centre: &Arc<Simulator>) -> Arc<AtomicUsize> {
    let (mut shown, centre, answered) = (centre.watch(), Arc::clone(centre), Arc::<AtomicUsize>::default());
    let counted = Arc::clone(&answered);
    tokio::spawn(async move {
        while let Some((number, text)) = shown.recv().await {
            if let Some(code) = digits(&text.text, 4).filter(|_| text.text.contains("回复")) {
                while centre.reply(&number, &text.from, &code).await.is_err() {
                    tokio::time::sleep(GLANCE).await;
                }
                counted.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    answered
}

/// The first run of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<String> {
    text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == count).map(str::to_owned)
}

async fn sign_in(client: &Client, centre: &Simulator, number: &str) -> Client {
    let begin = BeginRegistration { number: number.to_owned(), locale: None };
    let id = client.begin_registration(&begin).await.unwrap().registration_id;
    let code = wait("a sign-in code", async || digits(&centre.texts(number).await.first()?.text, 6)).await;
    let consents = [Consent::Upload, Consent::Subscriptions].map(ConsentGiven::Name).to_vec();
    let body = ConfirmRegistration { code, device: None, consents };
    let token = client.confirm_registration(id, &body).await.unwrap().token;
    client.clone().with_token(&token)
}

async fn upload(client: &Client, numbers: Vec<String>) {
    client.replace_book(&ReplaceBook { numbers, confirm_shrink: true }, None).await.unwrap();
}

async fn share_all(client: &Client) {
    let services = wait("the sharer's services", async || {
        let page = client.subscriptions(None).await.ok()?;
        (page.items.len() == OFFERINGS && page.items.iter().all(|one| one.shareable)).then_some(page.items)
    });
    for service in services.await {
        client.share(service.id, &SetShare { audience: Audience::Matches }).await.unwrap();
    }
}

/// Signs somebody in who knows the sharer, and reads their feed.
async fn settle(client: &Client, centre: &Simulator, number: &str) -> Person {
    let client = sign_in(client, centre, number).await;
    upload(&client, vec![SHARER.to_owned()]).await;
    let page = client.feed(&FeedFilter::default(), None).await.unwrap();
    let shares: Vec<_> = page.items.into_iter().map(|item| item.share_id).collect();
    assert_eq!(shares.len(), OFFERINGS);
    Person { client, shares }
}

async fn wait<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        tokio::time::sleep(GLANCE).await;
    }
}
