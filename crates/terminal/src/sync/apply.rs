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

/// What [`sync`] would deliver now: asks the server where its book stands, and sends nothing.
///
/// # Errors
/// [`SyncError`].
pub async fn foresee(
    server: &impl BookServer,
    memory: &impl Memory,
    scanned: &BTreeSet<Msisdn>,
    extent: Extent,
) -> Result<Plan, SyncError> {
    let synced = memory.load()?.book;
    Ok(plan(server.book().await?, synced.as_ref(), scanned, extent))
}

/// Brings the server's book in step with a scan.
///
/// Plans anew when another device was faster. What is remembered changes only after the server's
/// acknowledgement, so that what a lost answer left open is delivered again and never missing.
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
    let synced = memory.load()?.book;
    for _ in 0..TRIES_MAX {
        let status = server.book().await?;
        let plan = plan(status, synced.as_ref(), scanned, extent);
        if plan.confirm_shrink_needed() && !confirm_shrink {
            return Ok(unconfirmed(status, &plan));
        }
        let sent = match &plan {
            Plan::Nothing => return Ok(Outcome::Unchanged(status)),
            Plan::Snapshot { numbers, if_match, .. } => {
                expect(memory, synced.as_ref(), numbers)?;
                let body = ReplaceBook { numbers: texts(numbers), confirm_shrink };
                server.replace_book(&body, *if_match).await
            }
            Plan::Amend { add, remove, if_match, .. } => {
                expect(memory, synced.as_ref(), add)?;
                let body = AmendBook { add: texts(add), remove: texts(remove) };
                server.amend_book(&body, *if_match).await
            }
        };
        let error = match sent {
            Ok(answer) => {
                let book = acknowledged(&plan, synced.as_ref(), status, answer.version);
                remember(memory, |state| state.book = Some(book))?;
                return Ok(Outcome::Delivered(answer));
            }
            Err(error) => error,
        };
        if matches!(error, ClientError::Problem { .. }) {
            // A refusal has changed nothing; only what got no answer may have arrived.
            remember(memory, |state| state.book.clone_from(&synced))?;
        }
        match error.code() {
            Some(Code::BookVersionConflict) => {}
            Some(Code::BookShrinkUnconfirmed) => return Ok(unconfirmed(status, &plan)),
            _ => return Err(error.into()),
        }
    }
    Err(SyncError::Contended)
}

/// Remembers what is about to be sent: should the answer be lost and a contact be removed before the
/// next time, it must be taken back all the same.
fn expect(
    memory: &impl Memory,
    synced: Option<&SyncedBook>,
    sent: &BTreeSet<Msisdn>,
) -> Result<(), MemoryError> {
    let mut book = synced.cloned().unwrap_or_default();
    book.unsure.extend(sent);
    remember(memory, |state| state.book = Some(book))
}

/// What this device is known to have delivered once the server has acknowledged a plan.
///
/// Refused numbers are remembered with the others: delivering them again would change nothing.
fn acknowledged(plan: &Plan, before: Option<&SyncedBook>, status: BookStatus, version: i64) -> SyncedBook {
    let alone = before.is_some_and(|book| book.complete && book.version == status.version);
    let SyncedBook { mut numbers, mut unsure, .. } = before.cloned().unwrap_or_default();
    let complete = match plan {
        Plan::Nothing => alone,
        Plan::Snapshot { numbers: all, .. } => {
            numbers.clone_from(all);
            unsure.clear();
            true
        }
        Plan::Amend { add, remove, .. } => {
            numbers.extend(add);
            numbers.retain(|number| !remove.contains(number));
            // A part settles what it holds and nothing else.
            unsure.retain(|number| !add.contains(number) && !remove.contains(number));
            alone || status.size == 0
        }
    };
    SyncedBook { version, numbers, unsure, complete }
}

fn unconfirmed(status: BookStatus, plan: &Plan) -> Outcome {
    let count = |numbers: &BTreeSet<Msisdn>| i64::try_from(numbers.len()).unwrap_or(i64::MAX);
    let to = match plan {
        Plan::Nothing => status.size,
        Plan::Snapshot { numbers, .. } => count(numbers),
        Plan::Amend { add, remove, .. } => (status.size + count(add) - count(remove)).max(0),
    };
    Outcome::ShrinkUnconfirmed { from: status.size, to }
}

fn texts(numbers: &BTreeSet<Msisdn>) -> Vec<String> {
    numbers.iter().map(|number| number.e164()).collect()
}
