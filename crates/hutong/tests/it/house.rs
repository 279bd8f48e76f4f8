//! A whole house for one story: the real binary, a simulated SMS centre, people with terminals.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::client::{Client, ClientError};
use api::consents::ConsentGiven;
use api::feed::{FeedFilter, FeedItem};
use api::orders::Order;
use api::registration::{BeginRegistration, ConfirmRegistration};
use api::subscriptions::{Audience, SetShare, Subscription};
use domain::consent::Consent;
use domain::order::{Progress, Reason};
use serde_json::{Value, json};
use smpp::simulator::{Config, Simulator};
use tokio::net::TcpListener;

use crate::phones::Centre;

pub(crate) const OPERATOR_TOKEN: &str = "an-operator-token-for-tests";
/// Far longer than anything here takes; a story that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(20);

pub(crate) struct House {
    /// The one process, where it is one.
    server: Option<Server>,
    pub(crate) api: String,
    pub(crate) metrics: String,
    /// Where the platform is.
    platform: String,
    pub(crate) centre: Centre,
    data: tempfile::TempDir,
    filter: &'static str,
    /// Further flags of the servers.
    more: Vec<String>,
    log: Arc<Mutex<Vec<String>>>,
    secrets: Mutex<Vec<String>>,
}

impl House {
    /// Starts the centre and the servers, with the demo's catalogue.
    pub(crate) async fn start() -> Self {
        Self::start_logging("info").await
    }

    /// The same, with as much in the log as a filter lets through.
    pub(crate) async fn start_logging(filter: &'static str) -> Self {
        Self::start_so(filter, Vec::new()).await
    }

    /// The same, with more settings.
    pub(crate) async fn start_with(more: &[&str]) -> Self {
        Self::start_so("info", more.iter().map(|word| (*word).to_owned()).collect()).await
    }

    /// The same, with both.
    pub(crate) async fn start_so(filter: &'static str, more: Vec<String>) -> Self {
        let local = || TcpListener::bind("127.0.0.1:0");
        let config = Config::new(Arc::new(|| 0));
        let centre = Simulator::start(local().await.unwrap(), local().await.unwrap(), config).await;
        let centre = Centre::Here(centre);
        let data = tempfile::tempdir().unwrap();
        let log = Arc::default();
        let (server, api, metrics) = serve(&data, &centre, (filter, &more), &log).await;
        let secrets = Mutex::default();
        let platform = api.clone();
        let server = Some(server);
        let house = Self { server, api, metrics, platform, centre, data, filter, more, log, secrets };
        house.seed(include_str!("../../../../examples/catalogue.json")).await;
        house
    }

    /// A house of several processes, which somebody else keeps: where terminals call, the platform's address, and what
    /// all of them log.
    pub(crate) fn of_many(
        api: String,
        metrics: String,
        platform: String,
        centre: Centre,
        data: tempfile::TempDir,
        log: Arc<Mutex<Vec<String>>>,
    ) -> Self {
        let (more, secrets) = (Vec::new(), Mutex::default());
        Self { server: None, api, metrics, platform, centre, data, filter: "info", more, log, secrets }
    }

    /// Kills the servers without a word, as a power cut would, and starts them on the same data.
    pub(crate) async fn kill_and_restart(&mut self) {
        self.server.take().unwrap().kill();
        self.restart().await;
    }

    /// Starts servers that have ended on the same data.
    pub(crate) async fn restart(&mut self) {
        let settings = (self.filter, self.more.as_slice());
        let (server, api, metrics) = serve(&self.data, &self.centre, settings, &self.log).await;
        (self.server, self.api, self.metrics) = (Some(server), api, metrics);
        self.platform.clone_from(&self.api);
    }

    /// Where the servers keep their data.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.data.path().join("data")
    }

    /// The address of the database, where it is not embedded.
    pub(crate) fn database(&self) -> Option<&str> {
        let flag = self.more.iter().position(|flag| flag == "--database")?;
        self.more.get(flag + 1).map(String::as_str)
    }

    /// All that the servers have logged.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Asks the servers to end, as a service manager does; answers whether they ended well.
    pub(crate) fn terminate(&mut self) -> bool {
        self.server.as_mut().unwrap().terminate()
    }

    pub(crate) async fn seed(&self, json: &str) {
        let answer = self.post("/operator/v1/seed", json.to_owned()).await;
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Calls an operator's interface.
    pub(crate) async fn post(&self, path: &str, body: String) -> reqwest::Response {
        http()
            .post(format!("{}{path}", self.platform))
            .bearer_auth(OPERATOR_TOKEN)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// Reads a TM Forum list about one customer.
    pub(crate) async fn list(&self, path: &str, number: &str) -> Vec<Value> {
        let url = format!("{}/tmf-api/{path}?relatedParty.id={}", self.platform, number.replace('+', "%2B"));
        let answer = http().get(url).bearer_auth(OPERATOR_TOKEN).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// The customer's live products: the subscriptions that cost something.
    pub(crate) async fn active_products(&self, number: &str, offering: &str) -> usize {
        let products = self.list("productInventory/v4/product", number).await;
        products.iter().filter(|p| p["status"] == "active" && p["productOffering"]["id"] == offering).count()
    }

    pub(crate) async fn metric(&self, name: &str) -> f64 {
        Self::metric_at(&self.metrics, name).await
    }

    /// The same of another process.
    pub(crate) async fn metric_at(metrics: &str, name: &str) -> f64 {
        let text = http().get(format!("{metrics}/metrics")).send().await.unwrap().text().await.unwrap();
        let line = text.lines().find(|line| line.starts_with(name) && !line.starts_with('#'));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
    }

    /// Registers somebody, with both consents.
    pub(crate) async fn person(&self, number: &'static str) -> Person<'_> {
        self.person_at(&self.api, number).await
    }

    /// The same, at another address.
    pub(crate) async fn person_at(&self, api: &str, number: &'static str) -> Person<'_> {
        let mut person = self.stranger_at(api, number);
        let consents = [Consent::Upload, Consent::Subscriptions].map(ConsentGiven::Name).to_vec();
        person.register(consents).await;
        person
    }

    pub(crate) fn stranger(&self, number: &'static str) -> Person<'_> {
        self.stranger_at(&self.api, number)
    }

    /// Somebody whose terminal knows another address.
    pub(crate) fn stranger_at(&self, api: &str, number: &'static str) -> Person<'_> {
        self.secrets.lock().unwrap().push(number.trim_start_matches("+86").to_owned());
        Person { house: self, number, client: Client::new(api).unwrap(), read: 0, token: String::new() }
    }

    /// Two people who match; the first has the catalogue's five services.
    pub(crate) async fn friends(&self) -> (Person<'_>, Person<'_>) {
        let li = self.person("+8613900139002").await;
        let zhang = self.person("+8613800138001").await;
        li.upload(&[zhang.number]).await;
        zhang.upload(&[li.number]).await;
        (li, zhang)
    }

    /// Ends a story: nothing waits in the queue, nothing failed unexpectedly, nothing personal in the log.
    pub(crate) async fn end(&self) {
        eventually("the queue to run empty", async || (self.metric("jobs_due").await == 0.0).then_some(()))
            .await;
        assert_eq!(self.metric("jobs_set_aside").await, 0.0);
        let log = self.log.lock().unwrap();
        for line in log.iter() {
            assert!(!line.contains("\"level\":\"ERROR\""), "{line}");
            for secret in self.secrets.lock().unwrap().iter() {
                assert!(!line.contains(secret.as_str()), "a number, code or token in the log");
            }
        }
    }
}

/// The servers' process; it never outlives its story, however that ends.
pub(crate) struct Server(Child);

impl Server {
    /// A process that somebody has started.
    pub(crate) fn of(child: Child) -> Self {
        Self(child)
    }

    /// Kills it without a word, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Whether the process is there no more.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Asks it to end, as a service manager does; answers whether it ended well.
    pub(crate) fn terminate(&mut self) -> bool {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.0.wait().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn http() -> reqwest::Client {
    // The first of the process wins; a second one is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

async fn serve(
    data: &tempfile::TempDir,
    centre: &Centre,
    (filter, more): (&str, &[String]),
    log: &Arc<Mutex<Vec<String>>>,
) -> (Server, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hutong"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"])
        .arg("--data")
        .arg(data.path().join("data"))
        .args(["--sms-port", &centre.smpp_addr().port().to_string()])
        .args(["--platform-operator-tokens", OPERATOR_TOKEN])
        .args(more)
        .env("HUTONG_LOG_FORMAT", "json")
        .env("HUTONG_LOG", filter)
        .current_dir(data.path());
    launch(&mut command, log).await
}

/// Starts the servers and waits until they answer, and until the link to the centre stands where they have one.
pub(crate) async fn launch(command: &mut Command, log: &Arc<Mutex<Vec<String>>>) -> (Server, String, String) {
    let seen = log.lock().unwrap().len();
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut server = Server(child);
    let (stderr, kept) = (server.0.stderr.take().unwrap(), Arc::clone(log));
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            kept.lock().unwrap().push(line);
        }
    });
    let find = |what: &str| {
        let log = log.lock().unwrap();
        let line = log[seen..].iter().find_map(|line| line.split_once(what).map(|(_, rest)| rest.to_owned()));
        line.map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
    };
    let listening = async || {
        let ended = server.has_ended();
        find("listening on ").or_else(|| {
            assert!(!ended, "the servers did not start: {:?}", log.lock().unwrap().last());
            None
        })
    };
    let api = eventually("the servers to listen", listening).await;
    let metrics = find("metrics on ").unwrap();
    let ready = format!("{metrics}/readyz");
    eventually("the link to the centre", async || {
        let text = http().get(&ready).send().await.ok()?.text().await.ok()?;
        (text.contains("sms centre: ok") || text.contains("sms centre: not here")).then_some(())
    })
    .await;
    (server, api, metrics)
}

/// Looks again and again until there is an answer.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(GLANCE).await;
    }
}

pub(crate) struct Person<'a> {
    house: &'a House,
    pub(crate) number: &'static str,
    pub(crate) client: Client,
    token: String,
    read: usize,
}

impl Person<'_> {
    pub(crate) async fn begin(&self) -> domain::ids::RegistrationId {
        let body = BeginRegistration { number: self.number.to_owned(), locale: Some("zh-CN".to_owned()) };
        self.client.begin_registration(&body).await.unwrap().registration_id
    }

    /// Signs in from a device with a name.
    pub(crate) async fn sign_in_from(&mut self, device: &str) -> String {
        let id = self.begin().await;
        let code = digits(&self.next_text().await.1, 6);
        let body = ConfirmRegistration { code, device: Some(device.to_owned()), consents: Vec::new() };
        self.client.confirm_registration(id, &body).await.unwrap().token
    }

    pub(crate) async fn confirm(
        &mut self,
        id: domain::ids::RegistrationId,
        code: &str,
        consents: Vec<ConsentGiven>,
    ) -> Result<(), ClientError> {
        let body = ConfirmRegistration { code: code.to_owned(), device: None, consents };
        let signed_in = self.client.confirm_registration(id, &body).await?;
        let mut secrets = self.house.secrets.lock().unwrap();
        secrets.extend([signed_in.token.clone(), code.to_owned()]);
        self.token.clone_from(&signed_in.token);
        self.client = self.client.clone().with_token(&signed_in.token);
        Ok(())
    }

    pub(crate) async fn register(&mut self, consents: Vec<ConsentGiven>) {
        let id = self.begin().await;
        let code = digits(&self.next_text().await.1, 6);
        self.confirm(id, &code, consents).await.unwrap();
    }

    /// Goes on with a token of before.
    pub(crate) fn resume(&mut self, token: &str) {
        self.token = token.to_owned();
        self.client = self.client.clone().with_token(token);
    }

    /// The same person after a restart of the servers, which then listen elsewhere.
    pub(crate) fn token(&self) -> String {
        self.token.clone()
    }

    /// Whether this phone shows a text that was not read.
    pub(crate) async fn has_text(&self) -> bool {
        self.house.centre.texts(self.number).await.len() > self.read
    }

    /// The next text on this phone: from, and what it says.
    pub(crate) async fn next_text(&mut self) -> (String, String) {
        let (centre, number, read) = (&self.house.centre, self.number, self.read);
        let text = eventually("a text", async || centre.texts(number).await.into_iter().nth(read)).await;
        self.read += 1;
        (text.from, text.text)
    }

    pub(crate) async fn reply(&self, to: &str, text: &str) {
        self.house.centre.reply(self.number, to, text).await.unwrap();
    }

    pub(crate) async fn upload(&self, numbers: &[&str]) -> api::book::BookChanged {
        let numbers = numbers.iter().map(|number| (*number).to_owned()).collect();
        let body = api::book::ReplaceBook { numbers, confirm_shrink: true };
        self.client.replace_book(&body, None).await.unwrap()
    }

    pub(crate) async fn matches(&self) -> Vec<String> {
        self.client.matches(None).await.unwrap().items.into_iter().map(|m| m.number).collect()
    }

    /// The subscription to an offering, once the exchange has heard of it.
    pub(crate) async fn service(&self, offering: &str) -> Subscription {
        eventually("a subscription", async || {
            let services = self.client.subscriptions(None).await.unwrap().items;
            services.into_iter().find(|one| one.offering == offering && one.name != one.offering)
        })
        .await
    }

    pub(crate) async fn share(&self, offering: &str) -> Subscription {
        let service = self.service(offering).await;
        self.client.share(service.id, &SetShare { audience: Audience::Matches }).await.unwrap();
        service
    }

    pub(crate) async fn feed(&self) -> Vec<FeedItem> {
        self.client.feed(&FeedFilter::default(), None).await.unwrap().items
    }

    pub(crate) async fn card(&self, offering: &str) -> FeedItem {
        let feed = self.feed().await;
        feed.into_iter().find(|item| item.offering.id == offering).expect("the card")
    }

    pub(crate) async fn tap(&self, offering: &str, key: &str) -> Order {
        let card = self.card(offering).await;
        self.client.place_order(&card.share_id, key).await.unwrap()
    }

    /// Waits until an order is where it should be; fails when it ends elsewhere.
    pub(crate) async fn wait(&self, order: &Order, state: Progress) -> Order {
        eventually(state.word(), async || {
            let order = self.client.order(order.id, 1).await.unwrap();
            assert!(
                order.state == state || !order.state.is_final(),
                "ended as {:?} {:?}",
                order.state,
                order.reason
            );
            (order.state == state).then_some(order)
        })
        .await
    }

    pub(crate) async fn ends(&self, order: &Order, state: Progress, reason: Reason) {
        assert_eq!(self.wait(order, state).await.reason, Some(reason));
    }

    /// Taps a designated provider's service, and reads the prompt: from, and the code.
    pub(crate) async fn prompted(&mut self, offering: &str, key: &str) -> (Order, String, String) {
        let order = self.tap(offering, key).await;
        let (from, text) = self.next_text().await;
        let code = digits(&text, 4);
        self.house.secrets.lock().unwrap().push(text);
        (order, from, code)
    }
}

/// The first run of exactly so many digits.
pub(crate) fn digits(text: &str, count: usize) -> String {
    try_digits(text, count).unwrap_or_else(|| panic!("no {count} digits in a text"))
}

/// The first run of exactly so many digits, if there is one.
pub(crate) fn try_digits(text: &str, count: usize) -> Option<String> {
    text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == count).map(str::to_owned)
}

/// The code of a refusal.
pub(crate) fn code<T>(answer: Result<T, ClientError>) -> String {
    match answer {
        Err(ClientError::Problem { problem, .. }) => problem.code,
        Err(error) => panic!("{error}"),
        Ok(_) => "no refusal".to_owned(),
    }
}

/// A TM Forum order as another channel of the operator would send it.
pub(crate) fn elsewhere(number: &str, action: &str, offering: &str, product: Option<&str>) -> String {
    let mut item = json!({ "id": "1", "action": action, "productOffering": {"id": offering} });
    if let Some(id) = product {
        item["product"] = json!({ "id": id });
    }
    json!({ "relatedParty": [{"id": number, "role": "customer"}], "productOrderItem": [item] }).to_string()
}
