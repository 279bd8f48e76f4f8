//! `hutong check`: recomputes matches and verifies what is stored.

use std::io::Write;

use store::{Kind, StoreError};

use super::opening::open_made;
use crate::config::{Config, ConfigArgs};
use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Opens the store, recomputes all matches from the books, and compares; reads every byte on the way.
///
/// # Errors
/// A [`Failure`] that says what differs.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let config = Config::load(&args.config)?;
    let store = open_made(&config).await?;
    let checked = store
        .read::<_, StoreError, _>(|view| {
            let checked = view.check_integrity()?;
            Ok((checked, view.friends().check_matches()?, view.broken_rules()?))
        })
        .await;
    store.close().await;
    let (checked, (missing, extra), broken) = checked.map_err(|error| {
        if error.kind() == Kind::NotAllowed {
            let failure = Failure::user("the stored data cannot be checked").because(&error);
            return failure
                .hint("Name the user whose the database is; a role's user may read its own alone.");
        }
        Failure::user("the stored data is damaged")
            .because(&error)
            .hint("Restore the data directory from a backup.")
    })?;
    if missing + extra > 0 {
        return Err(Failure::user(format!("{missing} matches are missing and {extra} are too many")));
    }
    if let Some((rule, count)) = broken.first() {
        let more = broken.len() - 1;
        return Err(Failure::user(format!("{count} times there is {rule}; {more} other rules are broken")));
    }
    let text = format!("ok: {checked}; the matches are those of the books; every rule between rows holds\n");
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))
}
