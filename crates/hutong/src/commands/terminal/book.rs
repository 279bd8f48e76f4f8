//! Delivering the address book.

use std::collections::BTreeSet;

use domain::Msisdn;
use domain::consent::Consent;
use serde_json::json;
use terminal::scan::Scan;
use terminal::sync::{Extent, Outcome, Plan, SyncError, foresee, sync};

use super::account::ensure_consent;
use super::scan::as_sentences;
use super::session::{Session, memory_failure, server_failure};
use crate::failure::Failure;

/// What the scanned contacts are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) extent: Extent,
    pub(super) confirm_shrink: bool,
}

/// How much of the address book the files are; the command line refuses both flags at once.
pub(super) fn extent(partial: bool, resync: bool) -> Extent {
    match (partial, resync) {
        (true, _) => Extent::Partial,
        (false, true) => Extent::Only,
        (false, false) => Extent::Whole,
    }
}

/// Shows what would be delivered.
pub(super) async fn show(session: &Session, scan: &Scan, wish: Wish) -> Result<(), Failure> {
    refuse_faulty(scan)?;
    let numbers = scan.matchable_numbers();
    let plan =
        foresee(&session.client()?, &session.memory, &numbers, wish.extent).await.map_err(sync_failure)?;
    let texts = |numbers: &BTreeSet<Msisdn>| numbers.iter().map(|number| number.e164()).collect::<Vec<_>>();
    let (word, add, remove) = match &plan {
        Plan::Nothing => ("nothing", Vec::new(), Vec::new()),
        Plan::Snapshot { numbers, .. } => ("snapshot", texts(numbers), Vec::new()),
        Plan::Amend { add, remove, .. } => ("amend", texts(add), texts(remove)),
    };
    let confirm = plan.confirm_shrink_needed();
    let shown = json!({ "plan": word, "add": add, "remove": remove, "confirm_shrink_needed": confirm });
    session.print(&shown, |_| {
        let what = match word {
            "nothing" => "Nothing would be delivered.".to_owned(),
            "snapshot" => format!("The whole book would be delivered: {} people.", add.len()),
            _ => format!("Would be added: {}. Would be removed: {}.", add.len(), remove.len()),
        };
        let asked = if confirm { " It would lose more than half; that needs --confirm-shrink." } else { "" };
        format!("{}{what}{asked}\n", as_sentences(scan))
    })
}

/// Delivers what changed since the last time.
pub(super) async fn scan(session: &Session, scan: &Scan, wish: Wish) -> Result<(), Failure> {
    // A snapshot with a file missing would take that file's people away.
    refuse_faulty(scan)?;
    let client = session.client()?;
    ensure_consent(&client, Consent::Upload).await?;
    let numbers = scan.matchable_numbers();
    let outcome = sync(&client, &session.memory, &numbers, wish.extent, wish.confirm_shrink)
        .await
        .map_err(sync_failure)?;
    match outcome {
        Outcome::Unchanged(book) => session.print(&json!({ "changed": false, "book": book }), |_| {
            format!("{}Nothing has changed: the server has {} people.\n", as_sentences(scan), book.size)
        }),
        Outcome::Delivered(changed) => session.print(&changed, |changed| {
            let matches = match changed.new_matches.as_slice() {
                [] => "No new match.".to_owned(),
                numbers => format!("New matches: {}.", numbers.join(", ")),
            };
            format!(
                "{}Delivered: {} added, {} removed, {} people in all. {matches}\n",
                as_sentences(scan),
                changed.added,
                changed.removed,
                changed.size
            )
        }),
        Outcome::ShrinkUnconfirmed { from, to } => Err(Failure::user(format!(
            "the book would shrink from {from} people to {to}; nothing was sent"
        ))
        .hint(
            "Add --confirm-shrink if that is meant, or --partial if these are only some of your contacts.",
        )),
    }
}

fn sync_failure(error: SyncError) -> Failure {
    match error {
        SyncError::Server(error) => server_failure(error),
        SyncError::Memory(error) => memory_failure(error),
        SyncError::Contended => Failure::remote(error.to_string()),
    }
}

fn refuse_faulty(scan: &Scan) -> Result<(), Failure> {
    if scan.has_error() {
        let errors = scan
            .files
            .iter()
            .filter_map(|file| file.error.as_ref().map(|error| format!("{}: {error}", file.file)));
        return Err(errors.fold(Failure::user("not every file could be read"), Failure::because_of));
    }
    Ok(())
}
