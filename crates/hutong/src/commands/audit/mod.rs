//! `hutong audit …`: the log of every decision and every operator's action.

mod head;
mod list;
mod verify;

use crate::config::{Config, ConfigArgs};
use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Checks the whole log: that nothing in it was changed, moved, left out or cut off.
    Verify(verify::Args),
    /// Prints what the log says of a number, of an order, or last of all, one JSON object a line.
    List(list::Args),
    /// Prints the heads of the log, to be kept where nobody who can reach this machine can change them.
    Head(head::Args),
}

/// Looks into the log; needs the key file, and no running server.
///
/// # Errors
/// A [`Failure`]; exit code 1 when the log does not hold.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.what {
        What::Verify(args) => verify::run(args).await,
        What::List(args) => list::run(args).await,
        What::Head(args) => head::run(args).await,
    }
}

async fn look(args: &ConfigArgs) -> Result<(Config, store::Store), Failure> {
    let config = Config::load(args)?;
    let store = super::opening::look(&config).await;
    let store = store.map_err(|error| Failure::user("the store cannot be opened").because(&error))?;
    Ok((config, store))
}

fn unreadable(error: &store::StoreError) -> Failure {
    Failure::user("the audit log cannot be read").because(error).hint("Run 'hutong doctor'.")
}
