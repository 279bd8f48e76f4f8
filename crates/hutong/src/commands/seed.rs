//! `hutong seed`: a catalogue and subscriptions from a JSON file.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::limits;
use platform::seed::SeedError;
use platform::{Callbacks, Platform};
use store::audit::Actor;
use tmf::Transport;

use super::opening::open;
use super::running;
use super::serve::platform_config;
use crate::config::{Config, ConfigArgs};
use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The seed file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Seeds through the running server when one answers at `listen`, else straight into the store.
///
/// # Errors
/// A [`Failure`] that names every fault of the file by its place.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let config = Config::load(&args.config)?;
    let json = read(&args.file)?;
    let report = if running::answers(&config).await {
        through_server(&config, json).await?
    } else {
        into_store(&config, &json).await?
    };
    std::io::stdout().write_all((report + "\n").as_bytes()).map_err(|error| Failure::stdout(&error))
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::user(format!("{} cannot be read", file.display())).because(&error);
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    if size > limits::SEED_BYTES_MAX.unsigned_abs() {
        return Err(Failure::user(format!(
            "{} is larger than {} bytes",
            file.display(),
            limits::SEED_BYTES_MAX
        ))
        .hint("Cut it into several seeds; the same seed again changes nothing."));
    }
    std::fs::read(file).map_err(unreadable)
}

async fn through_server(config: &Config, json: Vec<u8>) -> Result<String, Failure> {
    let (status, body) = running::post(config, "/operator/v1/seed", json).await?;
    if status.is_success() {
        return Ok(body);
    }
    Err(running::refusal("the seed", status, body))
}

async fn into_store(config: &Config, json: &[u8]) -> Result<String, Failure> {
    let world = crate::world::system();
    let store = open(config).await?;
    let kept = store.keep_audit_heads(&config.audit_head_file()).await;
    kept.map_err(|error| Failure::user("the audit log cannot be read").because(&error))?;
    let config = Arc::new(platform_config(config));
    let platform = Platform { store: store.clone(), world, config, callbacks: Arc::new(Nobody) };
    let seeded = platform::seed::seed(&platform, json, Actor::Local).await;
    store.close().await;
    match seeded {
        Ok(report) => Ok(serde_json::to_string(&report).unwrap_or_default()),
        Err(SeedError::Faults(faults)) => {
            let faults = faults.into_iter().map(|fault| format!("{}: {}", fault.place, fault.problem));
            Err(faults.fold(Failure::user("the seed has faults; nothing was changed"), Failure::because_of))
        }
        Err(error) => Err(Failure::user("the seed was not taken").because(&error)),
    }
}

/// Nobody listens while no server runs: what the hub has to tell waits in the store.
pub(super) struct Nobody;

impl Callbacks for Nobody {
    fn transport(&self, _: &str) -> Option<Arc<dyn Transport>> {
        None
    }
}
