//! `hutong keys rotate`: another master key, while everything goes on.

use store::audit::Actor;

use crate::commands::opening::open_made;
use crate::commands::running;
use crate::config::{Config, ConfigArgs};
use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Rotates through the running server when one answers at `listen`, else in the store itself.
///
/// # Errors
/// A [`Failure`] that says what stands.
pub(super) async fn run(Args { config }: Args) -> Result<(), Failure> {
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
        "{} holds another secret now. Replace the copies of it that are kept elsewhere: the old ones open nothing of what lies in the database from now on, and only what was copied from it before.\n",
        config.key_file().display()
    );
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())
        .map_err(|error| Failure::stdout(&error))
}

async fn rotate_in_store(config: &Config) -> Result<(), Failure> {
    let store = open_made(config).await?;
    let rotated = store.rotate_master_key(Actor::Local).await;
    store.close().await;
    rotated.map_err(|error| Failure::user("the master key was not exchanged as it should be").because(&error))
}
