//! `hutong seed`: a catalogue and subscriptions from a JSON file.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::limits;
use platform::seed::SeedError;
use platform::{Callbacks, Platform};
use secrecy::ExposeSecret;
use store::audit::Actor;
use store::{Keys, Store};
use tmf::Transport;

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
    let report = match tokio::net::TcpStream::connect(config.listen).await {
        Ok(_) => through_server(&config, json).await?,
        Err(_) => into_store(&config, &json).await?,
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
    let url = format!("http://{}/operator/v1/seed", config.listen);
    let refused =
        |error: reqwest::Error| Failure::remote("the running server did not take the seed").because(&error);
    let client =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(600)).build().map_err(refused)?;
    let mut request = client.post(url).header("content-type", "application/json").body(json);
    if let Some(token) = operator_token(config) {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.map_err(refused)?;
    let status = answer.status();
    let body = answer.text().await.map_err(refused)?;
    if status.is_success() {
        return Ok(body);
    }
    let failure =
        Failure::user(format!("the running server refused the seed with status {status}")).because_of(body);
    Err(if matches!(status.as_u16(), 401 | 403) {
        failure.hint(
            "Run it with the server's own configuration and key file, or set platform.operator_tokens to one of its tokens.",
        )
    } else {
        failure
    })
}

/// A configured token, or the one that the key file gives to whoever can read it.
pub(super) fn operator_token(config: &Config) -> Option<String> {
    let configured = config.platform.operator_tokens.first().map(|token| token.expose_secret().to_owned());
    let keys = || Keys::load(&config.key_file(), false, &crate::world::system()).ok();
    configured.or_else(|| keys().map(|keys| keys.operator_token()))
}

async fn into_store(config: &Config, json: &[u8]) -> Result<String, Failure> {
    let world = crate::world::system();
    let opened = |error: store::OpenError| Failure::user("the store cannot be opened").because(&error);
    let fresh = config.database.is_some() || !Store::exists_in(&config.data);
    let keys = Keys::load(&config.key_file(), fresh, &world).map_err(|error| opened(error.into()))?;
    let store = match &config.database {
        Some(url) => Store::open_postgres(url.expose_secret(), keys, world.clone()).await,
        None => Store::open_embedded(&config.data, keys, world.clone()),
    };
    let store = store.map_err(opened)?;
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
