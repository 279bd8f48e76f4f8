//! `hutong sms …`: the SMS link alone, with an outbox of its own.

mod listen;
mod send;

use std::path::Path;

use clap::Subcommand;
use domain::world::World;
use sms::{News, Sms};
use store::{MasterKey, OpenError, Store};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, ConfigArgs};
use crate::failure::Failure;

/// Its commands.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sends one text to consecutive numbers and prints what became of each, one JSON object a line.
    Send(send::Args),
    /// Prints inbound texts and receipts, one JSON object a line, until Ctrl-C.
    Listen(listen::Args),
}

/// The centre, where it is not the configured one.
#[derive(Debug, clap::Args)]
struct Centre {
    /// The SMS centre's host; the configured one when it is left out.
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Its port.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The account there.
    #[arg(long, value_name = "ID")]
    system_id: Option<String>,
    /// The account's password; better in HUTONG_SMS__PASSWORD, where other users of this machine do not see it.
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// One link and the store under it.
struct Linked {
    store: Store,
    world: World,
    news: UnboundedReceiver<News>,
    link: sms::Link,
    stop: CancellationToken,
    task: JoinHandle<()>,
    /// Removed at the end, when no directory was named.
    _temporary: Option<tempfile::TempDir>,
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Send(args) => send::run(args).await,
        Command::Listen(args) => listen::run(args).await,
    }
}

impl Centre {
    /// Reads the configuration, opens the outbox and starts the link.
    async fn open(self, window: usize) -> Result<(Linked, Config), Failure> {
        let mut given = self.config;
        let flags = [
            ("sms.host", self.host),
            ("sms.port", self.port.map(|port| port.to_string())),
            ("sms.system_id", self.system_id),
            ("sms.password", self.password),
        ];
        for (path, text) in flags {
            text.into_iter().for_each(|text| given.give(path, text));
        }
        let config = Config::load(&given)?;
        let world = crate::world::system();
        let (store, temporary) = if given.gives("data") {
            (open_store(&config.data, &config.key_file(), &world)?, None)
        } else {
            let temporary = tempfile::tempdir()
                .map_err(|error| Failure::user("no temporary directory can be made").because(&error))?;
            let data = temporary.path().join("outbox");
            (open_store(&data, &temporary.path().join("outbox.key"), &world)?, Some(temporary))
        };
        let mut link = config.sms.links(config.default_region)?;
        // One bind to one centre: what is tried here is that link and no other.
        link.centres.truncate(1);
        for centre in &mut link.centres {
            centre.binds = vec![sms::BindKind::Transceiver];
            centre.bind.window = window;
        }
        let (teller, news) = unbounded_channel();
        let role = Sms::observed(store.clone(), world.clone(), link, teller);
        let (link, stop) = (role.link(), CancellationToken::new());
        let ending = stop.clone();
        let task = tokio::spawn(role.run(async move { ending.cancelled().await }));
        Ok((Linked { store, world, news, link, stop, task, _temporary: temporary }, config))
    }
}

impl Linked {
    /// Waits for the answers that are due, unbinds and closes the outbox.
    async fn close(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(error = &error as &dyn std::error::Error, "the link has failed");
        }
        self.store.close().await;
    }
}

fn open_store(data: &Path, key_file: &Path, world: &World) -> Result<Store, Failure> {
    let opened = |error: OpenError| Failure::user("the outbox cannot be opened").because(&error);
    Store::open_embedded(data, &MasterKey::in_file(key_file), world.clone()).map_err(opened)
}
