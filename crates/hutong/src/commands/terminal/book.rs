//! Delivering the address book.

use std::path::PathBuf;

use domain::Region;
use domain::consent::Consent;
use serde_json::json;
use terminal::scan::Scan;
use terminal::sync::{Extent, Outcome, SyncError, sync};

use super::account::ensure_consent;
use super::scan::{as_sentences, scan_files};
use super::session::{Session, memory_failure, server_failure};
use crate::failure::Failure;

/// Reads the files and delivers what changed since the last time.
pub(super) async fn scan(
    session: &Session,
    files: &[PathBuf],
    region: Region,
    partial: bool,
    confirm_shrink: bool,
) -> Result<(), Failure> {
    let scan = scan_files(files, region);
    // A snapshot with a file missing would take that file's people away.
    refuse_faulty(&scan)?;
    let client = session.client()?;
    ensure_consent(&client, Consent::Upload).await?;
    let extent = if partial { Extent::Partial } else { Extent::Whole };
    let numbers = scan.matchable_numbers();
    let outcome =
        sync(&client, &session.memory, &numbers, extent, confirm_shrink).await.map_err(sync_failure)?;
    match outcome {
        Outcome::Unchanged(book) => session.print(&json!({ "changed": false, "book": book }), |_| {
            format!("{}Nothing has changed: the server has {} people.\n", as_sentences(&scan), book.size)
        }),
        Outcome::Delivered(changed) => session.print(&changed, |changed| {
            let matches = match changed.new_matches.as_slice() {
                [] => "No new match.".to_owned(),
                numbers => format!("New matches: {}.", numbers.join(", ")),
            };
            format!(
                "{}Delivered: {} added, {} removed, {} people in all. {matches}\n",
                as_sentences(&scan),
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
