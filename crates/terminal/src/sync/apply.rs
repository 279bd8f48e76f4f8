//! Carrying a plan out, and remembering only what the server acknowledged.

use std::collections::BTreeSet;

use api::Code;
use api::book::{AmendBook, BookChanged, BookStatus, ReplaceBook};
use api::client::ClientError;
use domain::Msisdn;

use super::plan::{Extent, Plan, plan};
use crate::memory::{Memory, MemoryError, remember};
use crate::server::BookServer;
use crate::state::SyncedBook;

/// Each conflict means that another device has just synced; as many in a row means a fault.
const TRIES_MAX: u32 = 5;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server held it all.
    Unchanged(BookStatus),
    /// Delivered.
    Delivered(BookChanged),
    /// Not delivered: the book would lose more than half, and nobody has confirmed that.
    ShrinkUnconfirmed {
        /// How many people the server's book holds.
        from: i64,
        /// How many the scan found.
        to: i64,
    },
}

/// Why the book is not in step.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The server refused or could not be reached.
    #[error(transparent)]
    Server(#[from] ClientError),
    /// The terminal cannot remember.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Other devices kept changing the book.
    #[error("other devices keep changing the book; try again when they are done")]
    Contended,
}

/// Brings the server's book in step with a scan.
///
/// Plans anew when another device was faster. What is remembered changes only after the server's
/// acknowledgement, so that a lost answer leads to a full upload the next time and never to a gap.
///
/// # Errors
/// [`SyncError`]; nothing needs to be undone after any of them.
pub async fn sync(
    server: &impl BookServer,
    memory: &impl Memory,
    scanned: &BTreeSet<Msisdn>,
    extent: Extent,
    confirm_shrink: bool,
) -> Result<Outcome, SyncError> {
    let mut synced = memory.load()?.book;
    for _ in 0..TRIES_MAX {
        let status = server.book().await?;
        let plan = plan(status, synced.as_ref(), scanned, extent);
        let answer = match deliver(server, &plan, confirm_shrink).await {
            Ok(Some(answer)) => answer,
            Ok(None) if plan == Plan::Nothing => return Ok(Outcome::Unchanged(status)),
            Ok(None) => return Ok(unconfirmed(status, scanned)),
            Err(error) if error.code() == Some(Code::BookVersionConflict) => continue,
            Err(error) if error.code() == Some(Code::BookShrinkUnconfirmed) => {
                return Ok(unconfirmed(status, scanned));
            }
            Err(error) => return Err(error.into()),
        };
        synced = acknowledged(&plan, synced, answer.version);
        remember(memory, |state| state.book = synced)?;
        return Ok(Outcome::Delivered(answer));
    }
    Err(SyncError::Contended)
}

/// Sends the plan's one request; `None` where there is none to send.
async fn deliver(
    server: &impl BookServer,
    plan: &Plan,
    confirm_shrink: bool,
) -> Result<Option<BookChanged>, ClientError> {
    match plan {
        Plan::Nothing => Ok(None),
        Plan::Snapshot { confirm_shrink_needed: true, .. } if !confirm_shrink => Ok(None),
        Plan::Snapshot { numbers, if_match, .. } => {
            let body = ReplaceBook { numbers: texts(numbers), confirm_shrink };
            server.replace_book(&body, *if_match).await.map(Some)
        }
        Plan::Amend { add, remove, if_match } => {
            let body = AmendBook { add: texts(add), remove: texts(remove) };
            server.amend_book(&body, *if_match).await.map(Some)
        }
    }
}

/// What is known to be there once the server has acknowledged a plan.
///
/// Refused numbers are remembered with the others: delivering them again would change nothing.
fn acknowledged(plan: &Plan, before: Option<SyncedBook>, version: i64) -> Option<SyncedBook> {
    match plan {
        Plan::Nothing => before,
        Plan::Snapshot { numbers, .. } => {
            Some(SyncedBook { version, numbers: numbers.clone(), complete: true })
        }
        Plan::Amend { add, remove, if_match } => {
            let known = before.filter(|book| book.version == *if_match);
            let complete = known.as_ref().is_some_and(|book| book.complete);
            let mut numbers = known.map(|book| book.numbers).unwrap_or_default();
            numbers.extend(add);
            numbers.retain(|number| !remove.contains(number));
            Some(SyncedBook { version, numbers, complete })
        }
    }
}

fn unconfirmed(status: BookStatus, scanned: &BTreeSet<Msisdn>) -> Outcome {
    Outcome::ShrinkUnconfirmed { from: status.size, to: i64::try_from(scanned.len()).unwrap_or(i64::MAX) }
}

fn texts(numbers: &BTreeSet<Msisdn>) -> Vec<String> {
    numbers.iter().map(|number| number.e164()).collect()
}
