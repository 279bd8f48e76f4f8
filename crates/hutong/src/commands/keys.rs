//! `hutong keys rotate`: another master key, while everything goes on.

use clap::Subcommand;
use secrecy::ExposeSecret;
use store::audit::Actor;
use store::{MasterKey, Store};

use super::running;
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
    /// Exchanges the secret in the key file: the old file then opens nothing written from now on. Copies of
    /// the file kept elsewhere are to be replaced.
    Rotate(RotateArgs),
}

#[derive(Debug, clap::Args)]
struct RotateArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Rotates through the running server when one answers at `listen`, else in the store itself.
///
/// # Errors
/// A [`Failure`] that says what stands.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let Command::Rotate(RotateArgs { config }) = args.command;
    let config = Config::load(&config)?;
    if running::answers(&config).await {
        let (status, body) = running::post(&config, "/operator/v1/keys/rotate", Vec::new()).await?;
        if !status.is_success() {
            return Err(running::refusal("to exchange the master key", status, body));
        }
    } else {
        rotate_in_store(&config).await?;
    }
    let text = format!(
        "{} holds another secret now. Replace the copies of it that are kept elsewhere; they open nothing any more.\n",
        config.key_file().display()
    );
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())
        .map_err(|error| Failure::stdout(&error))
}

async fn rotate_in_store(config: &Config) -> Result<(), Failure> {
    let world = crate::world::system();
    let opened = |error: store::OpenError| Failure::user("the store cannot be opened").because(&error);
    let master = MasterKey::in_file(config.key_file());
    // There is nothing to rotate where nothing was made.
    master.load(false, &world).map_err(|error| opened(error.into()))?;
    let store = match &config.database {
        Some(url) => Store::open_postgres(url.expose_secret(), &master, world).await,
        None => Store::open_embedded(&config.data, &master, world),
    };
    let store = store.map_err(opened)?;
    let rotated = store.rotate_master_key(Actor::Local).await;
    store.close().await;
    rotated.map_err(|error| Failure::user("the master key was not exchanged").because(&error))
}
