//! `hutong store`: the stored data as a whole.

mod dump;
mod load;

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;

use super::check;
use super::opening::open;
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
    /// Makes the database where there is none, and brings its schema up to date.
    Migrate(Plain),
    /// Recomputes the matches from the books, compares, and verifies what is stored.
    Check(check::Args),
    /// Writes everything that is stored into a file, beside running servers or without them.
    Dump(WithFile),
    /// Reads what `dump` wrote into a new database, of either kind; the key file must be that of the dump.
    Load(WithFile),
}

#[derive(Debug, clap::Args)]
struct Plain {
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, clap::Args)]
struct WithFile {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Runs one of them.
///
/// # Errors
/// A [`Failure`] that says what to do.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Migrate(Plain { config }) => {
            open(&Config::load(&config)?).await?.close().await;
            say("ok: the schema is up to date\n")
        }
        Command::Check(args) => check::run(args).await,
        Command::Dump(WithFile { file, config }) => dump::run(&file, &Config::load(&config)?).await,
        Command::Load(WithFile { file, config }) => load::run(file, &Config::load(&config)?).await,
    }
}

fn say(text: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))
}
