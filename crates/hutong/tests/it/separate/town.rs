//! The processes of one installation, as docs/roles.md sets them up.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use crate::canaries::cluster::Cluster;
use crate::house::{House, OPERATOR_TOKEN, Server, eventually, launch};
use crate::phones::Centre;

/// One of the processes, which can be killed and started again at the same address.
pub(super) struct Process {
    arguments: Vec<String>,
    directory: std::path::PathBuf,
    log: Arc<Mutex<Vec<String>>>,
    server: Option<Server>,
    pub(super) api: String,
    pub(super) metrics: String,
}

/// A port that nobody has, and none of those that are given out by themselves: the processes must know each other's
/// before they start, and find them free when they start again.
fn free() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        // Each test is a process of its own.
        let next = std::process::id().wrapping_mul(16) + NEXT.fetch_add(1, Ordering::Relaxed);
        let address = format!("127.0.0.1:{}", 12_000 + next % 20_000);
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

impl Process {
    async fn start(directory: &Path, arguments: Vec<String>, log: &Arc<Mutex<Vec<String>>>) -> Self {
        let mut process = Self {
            arguments,
            directory: directory.to_owned(),
            log: Arc::clone(log),
            server: None,
            api: String::new(),
            metrics: String::new(),
        };
        process.restart().await;
        process
    }

    /// Kills it without a word, as a power cut would.
    pub(super) fn kill(&mut self) {
        self.server.take().unwrap().kill();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hutong"));
        command.arg("serve").args(&self.arguments);
        command.env("HUTONG_LOG_FORMAT", "json").env("HUTONG_LOG", "info").current_dir(&self.directory);
        command
    }

    /// What it says when it must not start.
    pub(super) fn refused(&self) -> String {
        let output = self.command().output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    }

    /// Its journal of erasures.
    pub(super) fn journal(&self) -> String {
        std::fs::read_to_string(self.directory.join("data.erased")).unwrap()
    }

    pub(super) async fn restart(&mut self) {
        let mut command = self.command();
        let (server, api, metrics) = launch(&mut command, &self.log).await;
        (self.server, self.api, self.metrics) = (Some(server), api, metrics);
    }
}

/// All of them. `house` is what the stories' people know; contacts is the address that their terminals have.
pub(super) struct Town {
    pub(super) house: House,
    pub(super) contacts: Process,
    pub(super) exchange: Process,
    pub(super) platform: Process,
    /// Sends what contacts has written.
    pub(super) sms: Process,
    /// Sends what the platform has written, and takes the answers.
    _texts: Process,
    pub(super) cluster: Cluster,
    directory: std::path::PathBuf,
}

const OWNER: &str = "hutong_owner";
const SHARED: &str = "hutong";
const PLATFORMS: &str = "hutong_platform_own";

const EXCHANGE_TOKEN: &str = "the-exchanges-own-token-for-tests";
/// What the exchange does at the platform, and nothing else of an operator's.
const SCOPES: &str = "catalogue:read+catalogue:write+orders:read+orders:write";

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Makes users, databases, schema and rights, and gives each process its copy of the key file.
fn set_up(cluster: &Cluster, directory: &Path) {
    for user in [OWNER, "u_contacts", "u_exchange", "u_sms", "u_platform", "u_texts"] {
        cluster.sql(&format!("CREATE ROLE {user} LOGIN"));
    }
    for (database, kept, grants, processes) in [
        (
            SHARED,
            "owner",
            "contacts=u_contacts,exchange=u_exchange,sms=u_sms",
            ["contacts", "exchange", "sms"].as_slice(),
        ),
        (PLATFORMS, "platform-owner", "platform=u_platform,sms=u_texts", &["platform", "texts"]),
    ] {
        cluster.sql(&format!("CREATE DATABASE {database} OWNER {OWNER}"));
        let url = cluster.url_of(OWNER, database);
        let migrated = hutong(directory, kept, &["store", "migrate", "--database", &url, "--grant", grants]);
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        for process in processes {
            std::fs::create_dir(directory.join(process)).unwrap();
            let key = |name: &str| directory.join(name).join("data.key");
            // Its rights are copied too: it is its owner's alone.
            std::fs::copy(key(kept), key(process)).unwrap();
        }
    }
}

/// Runs a command in a process's directory, with its key file.
pub(super) fn hutong(directory: &Path, name: &str, arguments: &[&str]) -> Output {
    let home = directory.join(name);
    std::fs::create_dir_all(&home).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hutong"));
    command.args(arguments).arg("--data").arg(home.join("data")).current_dir(&home).output().unwrap()
}

impl Town {
    /// `None` where PostgreSQL is not installed and nobody insists.
    pub(super) async fn start() -> Option<Self> {
        let cluster = Cluster::start()?;
        let data = tempfile::tempdir().unwrap();
        let directory = data.path().to_owned();
        set_up(&cluster, &directory);
        let centre = Centre::apart();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let port = centre.smpp_addr().port();
        let (contacts_at, exchange_at, platform_at) = (free(), free(), free());
        let begin = async |name: &str, roles: &str, user: &str, database: &str, more: String| {
            let mut arguments = words(&format!("--roles {roles} --data data --metrics {} {more}", free()));
            arguments.extend(["--database".to_owned(), cluster.url_of(user, database)]);
            Process::start(&directory.join(name), arguments, &log).await
        };
        let token = format!("--platform-operator-tokens {OPERATOR_TOKEN}");
        let platform = begin(
            "platform",
            "platform",
            "u_platform",
            PLATFORMS,
            format!(
                "--listen {platform_at} --platform-private-callbacks {token} \
                 --operator-tokens exchange={SCOPES}={EXCHANGE_TOKEN}"
            ),
        );
        let platform = platform.await;
        let contacts = begin(
            "contacts",
            "contacts",
            "u_contacts",
            SHARED,
            format!(
                "--listen {contacts_at} --peers-exchange http://{exchange_at} --platform-url http://{platform_at} \
                 --platform-erases-former-owners --registration-texts-per-number-minute 9 --trusted-proxies 127.0.0.1 {token}"
            ),
        );
        let contacts = contacts.await;
        let exchange = begin(
            "exchange",
            "exchange",
            "u_exchange",
            SHARED,
            format!(
                "--listen {exchange_at} --peers-contacts http://{contacts_at} --platform-url http://{platform_at} \
                 --platform-token {EXCHANGE_TOKEN} {token}"
            ),
        );
        let exchange = exchange.await;
        let nowhere = "--listen 127.0.0.1:0";
        let sms = format!("{nowhere} --sms-port {port} --sms-binds transmitter");
        let sms = begin("sms", "sms", "u_sms", SHARED, sms).await;
        let texts = format!("{nowhere} --sms-port {port}");
        let texts = begin("texts", "sms", "u_texts", PLATFORMS, texts).await;
        let house = House::of_many(
            contacts.api.clone(),
            contacts.metrics.clone(),
            platform.api.clone(),
            centre,
            data,
            log,
        );
        house.seed(include_str!("../../../../../examples/catalogue.json")).await;
        Some(Self { house, contacts, exchange, platform, sms, _texts: texts, cluster, directory })
    }

    /// What a command of the owner's, or of another user's, says.
    pub(super) fn command(&self, name: &str, user: &str, arguments: &[&str]) -> Output {
        let url = self.cluster.url_of(user, SHARED);
        hutong(&self.directory, name, &[arguments, &["--database", &url]].concat())
    }

    pub(super) fn owner_command(&self, arguments: &[&str]) -> Output {
        self.command("owner", OWNER, arguments)
    }

    /// The tables with rows in them, of those named.
    pub(super) fn filled(
        &self,
        database: &str,
        tables: impl Iterator<Item = &'static str>,
    ) -> Vec<&'static str> {
        let count = |table: &&str| self.cluster.ask(database, &format!("SELECT COUNT(*) FROM {table}"));
        tables.filter(|table| count(table) != "0").collect()
    }

    pub(super) const SHARED: &str = SHARED;
    pub(super) const PLATFORMS: &str = PLATFORMS;

    /// Ends a story: nothing waits in either database's queue, nothing failed unexpectedly, nothing personal in a log.
    pub(super) async fn end(&self) {
        eventually("the platform's queue to run empty", async || {
            (House::metric_at(&self.platform.metrics, "jobs_due").await == 0.0).then_some(())
        })
        .await;
        assert_eq!(House::metric_at(&self.platform.metrics, "jobs_set_aside").await, 0.0);
        self.house.end().await;
    }
}
