//! `hutong keys`: the master key of an installation.

mod rotate;
mod status;

use clap::Subcommand;

use crate::failure::Failure;

/// Its commands.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Exchanges the secret in the key file: the old file then opens nothing of what lies in the data
    /// directory. Copies of the file kept elsewhere are to be replaced.
    Rotate(rotate::Args),
    /// Says how the key file stands: where it is, since when its secret is in force, whether it is its
    /// owner's alone. It shows no secret.
    Status(status::Args),
}

/// Runs one of them.
///
/// # Errors
/// A [`Failure`] that says what stands.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Rotate(args) => rotate::run(args).await,
        Command::Status(args) => status::run(args).await,
    }
}
