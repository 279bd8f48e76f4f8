//! Servers that are killed and started again on the same data, with an SMS centre and a charging system that
//! outlive them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::client::{Client, ClientError};
use api::consents::ConsentGiven;
use api::registration::{BeginRegistration, ConfirmRegistration};
use domain::consent::Consent;
use domain::provisioning::ProvisioningAction;
use domain::world::{SeededDice, SetClock, World};
use platform::charging::{ChargeMessage, simulator as charging};
use serde_json::Value;
use smpp::simulator::{Config, ShownText, Simulator};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::binary::command;
use crate::house::{OPERATOR_TOKEN, Server, http, try_digits};
use crate::inside::house::psql;

/// Nothing may be stuck for longer.
pub(crate) const STUCK: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(25);

pub(crate) struct Town {
    pub(crate) centre: Simulator,
    charging: charging::Simulator,
    charging_url: String,
    /// Where the data is, unless it is in the town's own directory.
    database: Option<String>,
    data: tempfile::TempDir,
    log: Arc<Mutex<Vec<String>>>,
    server: tokio::sync::Mutex<Option<Server>>,
    at: Mutex<(String, String, Client)>,
    /// Whether somebody else starts servers that have ended.
    tended: bool,
}

impl Town {
    /// A town whose servers keep their data themselves.
    pub(crate) async fn new(tended: bool) -> Self {
        Self::over(None, tended).await
    }

    /// A town whose servers keep their data in a PostgreSQL database.
    pub(crate) async fn on_postgres(database: String) -> Self {
        Self::over(Some(database), false).await
    }

    async fn over(database: Option<String>, tended: bool) -> Self {
        let local = || TcpListener::bind("127.0.0.1:0");
        let config = Config::new(Arc::new(|| 0));
        let centre = Simulator::start(local().await.unwrap(), local().await.unwrap(), config).await;
        let world = World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(1)));
        let (charging, socket) = (charging::Simulator::new(world), local().await.unwrap());
        let charging_url = format!("http://{}", socket.local_addr().unwrap());
        tokio::spawn(charging::listen(charging.clone(), socket));
        let nowhere = "http://127.0.0.1:1".to_owned();
        let _ = http();
        let client = Client::new(&nowhere).unwrap();
        Self {
            centre,
            charging,
            charging_url,
            database,
            data: tempfile::tempdir().unwrap(),
            log: Arc::default(),
            server: tokio::sync::Mutex::new(None),
            at: Mutex::new((nowhere.clone(), nowhere, client)),
            tended,
        }
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.data.path().join("data")
    }

    fn arm_file(&self) -> PathBuf {
        self.data.path().join("armed")
    }

    fn serve(&self) -> Command {
        let mut command = command(&["serve"], self.data.path());
        command
            .args(["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--data"])
            .arg(self.directory())
            .args(["--sms-port", &self.centre.smpp_addr().port().to_string()])
            .args(["--platform-operator-tokens", OPERATOR_TOKEN])
            .args(["--charging-port", "webhook", "--charging-url", &self.charging_url])
            .args(["--provisioning-providers", &format!("xx=={}", self.charging_url)])
            .args(self.database())
            .env("HUTONG_LOG_FORMAT", "json")
            .env("FAILPOINT_FILE", self.arm_file());
        command
    }

    fn database(&self) -> Vec<&str> {
        self.database.iter().flat_map(|url| ["--database", url.as_str()]).collect()
    }

    /// Runs a command of the installation to its end, beside its servers or without them.
    pub(crate) async fn run(&self, arguments: &[&str]) -> std::process::Output {
        let api = self.at.lock().unwrap().0.clone();
        let mut command = command(arguments, self.data.path());
        command.arg("--data").arg(self.directory()).args(["--listen", api.trim_start_matches("http://")]);
        command.args(self.database()).env("FAILPOINT_FILE", self.arm_file());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Posts to the operator's interface, once; whether it was done.
    pub(crate) async fn operate(&self, path: &str) -> bool {
        let url = format!("{}{path}", self.at.lock().unwrap().0);
        let answer = http().post(url).bearer_auth(OPERATOR_TOKEN).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Starts the servers and kills them before they can be of use.
    pub(crate) async fn stillborn(&self, after: Duration) {
        let mut child = self.serve().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(after).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts the servers; they answer, and the link to the centre stands.
    pub(crate) async fn start(&self) {
        let mut server = self.server.lock().await;
        *server = None;
        let (started, api, metrics) = crate::house::launch(&mut self.serve(), &self.log).await;
        *self.at.lock().unwrap() = (api.clone(), metrics, Client::new(&api).unwrap());
        *server = Some(started);
    }

    /// Kills the servers without a word.
    pub(crate) async fn kill(&self) {
        // Dropping it is kill -9.
        *self.server.lock().await = None;
    }

    /// Starts the servers again if they have died, and nobody else does.
    pub(crate) async fn revive(&self) {
        if self.tended {
            return;
        }
        let dead = self.server.lock().await.as_mut().is_none_or(Server::has_ended);
        if dead {
            if let Some(url) = &self.database {
                // What the dead had leased is free once the lease has ended; the walk does not wait for that.
                psql(url, "UPDATE job SET leased_until = 0 WHERE leased_until > 0");
                psql(url, "UPDATE text SET sent = 0 WHERE state = 'sent'");
            }
            self.start().await;
        }
    }

    /// Arms a fail point: its word, the passings to let go, what then happens.
    pub(crate) fn arm(&self, what: &str) {
        let aside = self.data.path().join("arming");
        std::fs::write(&aside, what).unwrap();
        std::fs::rename(aside, self.arm_file()).unwrap();
    }

    /// Takes the arm away; `true` when it was there no more because its point has acted.
    pub(crate) fn disarm(&self) -> bool {
        std::fs::remove_file(self.arm_file()).is_err()
    }

    /// Ends the servers as a service manager does, and has the data checked; what the check says when it
    /// finds anything.
    pub(crate) async fn check(&self) -> Result<(), String> {
        if let Some(mut server) = self.server.lock().await.take() {
            assert!(server.terminate(), "the servers end well");
        }
        let mut check = command(&["check", "--data"], self.data.path());
        let output = check.arg(self.directory()).args(self.database()).output().unwrap();
        let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(()) } else { Err(words(&output.stdout) + &words(&output.stderr)) }
    }

    pub(crate) fn errors_in_log(&self) -> Vec<String> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|line| line.contains("\"level\":\"ERROR\"")).cloned().collect()
    }

    pub(crate) async fn seed(&self, json: String) {
        let seed = async |town: &Self| {
            let url = format!("{}/operator/v1/seed", town.at.lock().unwrap().0);
            let body = http().post(url).bearer_auth(OPERATOR_TOKEN).body(json.clone());
            let answer = body.header("content-type", "application/json").send().await.ok()?;
            answer.status().is_success().then_some(())
        };
        self.wait_for("the seed", async || seed(self).await).await.unwrap();
    }

    /// Looks again and again, over deaths; in vain for longer than anything may be stuck is an error.
    pub(crate) async fn wait_for<T>(
        &self,
        what: &str,
        mut look: impl AsyncFnMut() -> Option<T>,
    ) -> Result<T, String> {
        let deadline = Instant::now() + STUCK;
        loop {
            self.revive().await;
            if let Some(found) = look().await {
                return Ok(found);
            }
            if Instant::now() > deadline {
                return Err(format!("waited in vain for {what}"));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Calls again and again until there is an answer; a refusal is one.
    pub(crate) async fn insist<T>(
        &self,
        token: &str,
        call: impl AsyncFn(Client) -> Result<T, ClientError>,
    ) -> Result<T, String> {
        let deadline = Instant::now() + STUCK;
        loop {
            self.revive().await;
            let client = self.at.lock().unwrap().2.clone().with_token(token);
            match call(client).await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.is_retryable() && Instant::now() < deadline => {}
                Err(ClientError::Problem { problem, .. }) => return Err(problem.code),
                Err(error) => return Err(format!("{error}")),
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Registers somebody with both consents; `None` when a death came between, for a code is sent once.
    pub(crate) async fn sign_in(&self, number: &str) -> Option<String> {
        let client = || self.at.lock().unwrap().2.clone();
        let body = BeginRegistration { number: number.to_owned(), locale: Some("zh-CN".to_owned()) };
        // A call that never arrived is made again; one whose answer is lost may have sent the code.
        let begin = async || match client().begin_registration(&body).await {
            Err(ClientError::Unreachable { .. }) => None,
            answer => Some(answer.ok()),
        };
        let begun = self.wait_for("the servers", begin).await.ok()??;
        let deadline = Instant::now() + Duration::from_secs(4);
        let code = loop {
            if let Some(code) = self.texts(number).await.iter().find_map(|text| try_digits(&text.text, 6)) {
                break code;
            }
            if Instant::now() > deadline {
                return None;
            }
            tokio::time::sleep(GLANCE).await;
        };
        let consents = [Consent::Upload, Consent::Subscriptions].map(ConsentGiven::Name).to_vec();
        let body = ConfirmRegistration { code, device: None, consents };
        let confirm = async |client: Client| client.confirm_registration(begun.registration_id, &body).await;
        Some(self.insist("", confirm).await.ok()?.token)
    }

    pub(crate) async fn texts(&self, number: &str) -> Vec<ShownText> {
        self.centre.texts(number).await
    }

    /// What the charging system has done about somebody, in its order.
    pub(crate) fn charged(&self, number: &str) -> Vec<ChargeMessage> {
        let record = self.charging.record().into_iter();
        record.filter(|event| event.number == number).collect()
    }

    /// What the provider has done for somebody, by its own record.
    pub(crate) fn provisioned(&self, number: &str) -> Vec<ProvisioningAction> {
        let record = self.charging.provisioned().into_iter();
        record.filter(|call| call.number == number).map(|call| call.action).collect()
    }

    /// Waits until nothing waits to be handed to the charging system.
    pub(crate) async fn all_handed_over(&self) -> Result<(), String> {
        let look = async || {
            let url = format!("{}/operator/v1/charges/waiting", self.at.lock().unwrap().0);
            let answer = http().get(url).bearer_auth(OPERATOR_TOKEN).send().await.ok()?;
            let waiting: Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
            (waiting["waiting"] == 0).then_some(())
        };
        self.wait_for("the charge events to be taken", look).await
    }

    /// The platform's list about one customer.
    pub(crate) async fn list(&self, path: &str, number: &str) -> Result<Vec<Value>, String> {
        let look = async || {
            let api = self.at.lock().unwrap().0.clone();
            let url = format!("{api}/tmf-api/{path}?relatedParty.id={}", number.replace('+', "%2B"));
            let answer = http().get(url).bearer_auth(OPERATOR_TOKEN).send().await.ok()?;
            serde_json::from_str(&answer.text().await.ok()?).ok()
        };
        self.wait_for("a list of the platform", look).await
    }

    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let url = format!("{}/metrics", self.at.lock().unwrap().1);
        let text = http().get(url).send().await.ok()?.text().await.ok()?;
        let line = text.lines().find(|line| line.starts_with(name) && !line.starts_with('#'));
        Some(line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0))
    }

    /// Waits until nothing is under way: no job due, no delivery of the centre open.
    pub(crate) async fn idle(&self) -> Result<(), String> {
        let look = async || {
            let quiet = self.centre.deliveries_open() == 0 && self.metric("jobs_due").await? == 0.0;
            quiet.then_some(())
        };
        self.wait_for("the queue to run empty", look).await
    }

    /// What is wrong with the texts on a phone: a sign-in code shown twice, any other text more than twice. Two
    /// orders that end alike are told of in the same words, so that without a code the words count for each.
    pub(crate) async fn text_faults(&self, number: &str, ended_alike: usize) -> Vec<String> {
        let mut shown: BTreeMap<String, usize> = BTreeMap::new();
        for text in self.texts(number).await {
            *shown.entry(text.text).or_default() += 1;
        }
        let limit = |text: &str| match (try_digits(text, 6), try_digits(text, 4)) {
            (Some(_), _) => 1,
            (None, Some(_)) => 2,
            (None, None) => 2 * ended_alike.max(1),
        };
        let faults = shown.iter().filter(|(text, count)| **count > limit(text));
        let masked = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "#");
        faults.map(|(text, count)| format!("shown {count} times: {}", masked(text))).collect()
    }
}
