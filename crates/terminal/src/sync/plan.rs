//! What to deliver: pure.

use std::collections::BTreeSet;

use api::book::BookStatus;
use domain::Msisdn;

use crate::state::SyncedBook;

/// How much of the address book a scan has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it: what is missing was removed.
    Whole,
    /// A part, such as the contacts a phone has granted: what is missing says nothing.
    Partial,
}

/// One request that brings the server's book up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Nothing to deliver.
    Nothing,
    /// Deliver the whole book.
    Snapshot {
        /// All numbers.
        numbers: BTreeSet<Msisdn>,
        /// Whether the person must be asked first: the book would lose more than half.
        confirm_shrink_needed: bool,
        /// The version it replaces.
        if_match: i64,
    },
    /// Deliver what changed.
    Amend {
        /// Numbers that came.
        add: BTreeSet<Msisdn>,
        /// Numbers that went.
        remove: BTreeSet<Msisdn>,
        /// The version it changes.
        if_match: i64,
    },
}

/// Plans the request from the server's book, what it is known to hold, and what a scan found.
///
/// A difference is trusted only when the server stands at the version that was acknowledged last; in
/// any other case the whole book is delivered, which always works. A part never removes anything. A
/// book that would lose more than half goes as a snapshot, since only that is guarded by a confirmation.
pub fn plan(
    server: BookStatus,
    synced: Option<&SyncedBook>,
    scanned: &BTreeSet<Msisdn>,
    extent: Extent,
) -> Plan {
    let synced = synced.filter(|synced| is_in_step(server, synced));
    let if_match = server.version;
    let add = |known: &BTreeSet<Msisdn>| -> BTreeSet<Msisdn> { scanned.difference(known).copied().collect() };
    let (add, remove) = match (extent, synced) {
        (Extent::Whole, Some(synced)) if synced.complete => {
            (add(&synced.numbers), synced.numbers.difference(scanned).copied().collect())
        }
        (Extent::Whole, _) if scanned.is_empty() && server.size == 0 => return Plan::Nothing,
        (Extent::Whole, _) => return snapshot(server, scanned),
        (Extent::Partial, Some(synced)) => (add(&synced.numbers), BTreeSet::new()),
        (Extent::Partial, None) => (scanned.clone(), BTreeSet::new()),
    };
    if add.is_empty() && remove.is_empty() {
        return Plan::Nothing;
    }
    let longer_than_the_book = add.len() + remove.len() > scanned.len();
    if extent == Extent::Whole && (shrinks(server, scanned) || longer_than_the_book) {
        return snapshot(server, scanned);
    }
    Plan::Amend { add, remove, if_match }
}

fn snapshot(server: BookStatus, scanned: &BTreeSet<Msisdn>) -> Plan {
    Plan::Snapshot {
        numbers: scanned.clone(),
        confirm_shrink_needed: shrinks(server, scanned),
        if_match: server.version,
    }
}

fn shrinks(server: BookStatus, scanned: &BTreeSet<Msisdn>) -> bool {
    count(scanned).saturating_mul(2) < server.size
}

/// Whether the server holds what was acknowledged. The sizes are a second look: the server may have
/// refused some of what was delivered, but can hold no more than that.
fn is_in_step(server: BookStatus, synced: &SyncedBook) -> bool {
    let emptied = server.size == 0 && !synced.numbers.is_empty();
    let grown = synced.complete && server.size > count(&synced.numbers);
    server.version == synced.version && !emptied && !grown
}

fn count(numbers: &BTreeSet<Msisdn>) -> i64 {
    i64::try_from(numbers.len()).unwrap_or(i64::MAX)
}
