//! What to deliver: pure.

use std::collections::BTreeSet;
use std::fmt;

use api::book::BookStatus;
use domain::Msisdn;

use crate::state::SyncedBook;

/// How much of the address book a scan has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All that this device has: what it delivered before and is missing now was removed.
    Whole,
    /// A part, such as the contacts a phone has granted: what is missing says nothing.
    Partial,
    /// All there is: what other devices of the same person have delivered goes, too.
    Only,
}

/// One request that brings the server's book up to date.
#[derive(Clone, PartialEq, Eq)]
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
        /// Whether the person must be asked first: the book would lose more than half.
        confirm_shrink_needed: bool,
        /// The version it changes.
        if_match: i64,
    },
}

/// Plans the request from the server's book, what this device has delivered, and what a scan found.
///
/// The book is the sum of what the person's devices have delivered. A device takes back only what it
/// delivered itself, so that a second one does not undo the first; [`Extent::Only`] settles it by one
/// snapshot. The whole goes over an empty book, and wherever a snapshot is the shorter request for the
/// same result. A part never removes anything.
pub fn plan(
    server: BookStatus,
    synced: Option<&SyncedBook>,
    scanned: &BTreeSet<Msisdn>,
    extent: Extent,
) -> Plan {
    let alone = synced.is_some_and(|synced| synced.complete && is_in_step(server, synced));
    if extent == Extent::Only && !alone {
        let nothing = scanned.is_empty() && server.size == 0;
        return if nothing { Plan::Nothing } else { snapshot(server, scanned) };
    }
    let none = BTreeSet::new();
    let delivered = synced.map_or(&none, |synced| &synced.numbers);
    let held = if synced.is_some_and(|synced| is_held(server, synced)) { delivered } else { &none };
    let add: BTreeSet<Msisdn> = scanned.difference(held).copied().collect();
    let remove: BTreeSet<Msisdn> = match extent {
        Extent::Partial => BTreeSet::new(),
        Extent::Whole | Extent::Only => {
            let unsure = synced.map_or(&none, |synced| &synced.unsure);
            delivered.union(unsure).filter(|number| !scanned.contains(number)).copied().collect()
        }
    };
    // What is to go from an empty book is gone.
    if add.is_empty() && (remove.is_empty() || server.size == 0) {
        return Plan::Nothing;
    }
    let longer_than_the_book = add.len() + remove.len() > scanned.len();
    let whole = extent != Extent::Partial && (server.size == 0 || alone);
    if whole && (server.size == 0 || shrinks(server, scanned) || longer_than_the_book) {
        return snapshot(server, scanned);
    }
    let confirm_shrink_needed = count(&remove).saturating_mul(2) > server.size;
    Plan::Amend { add, remove, confirm_shrink_needed, if_match: server.version }
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

/// Whether nobody has changed the book since. The sizes are a second look: the server may have
/// refused some of what was delivered, but can hold no more than that.
fn is_in_step(server: BookStatus, synced: &SyncedBook) -> bool {
    let grown = synced.complete && server.size > count(&synced.numbers);
    server.version == synced.version && is_held(server, synced) && !grown
}

/// Whether what was delivered is still there. Other devices change a book a little; one that has lost
/// more than half, or is younger than the one delivered to, was forgotten, and is delivered anew.
fn is_held(server: BookStatus, synced: &SyncedBook) -> bool {
    let emptied = server.size == 0 && !synced.numbers.is_empty();
    let behind = server.version != synced.version;
    let halved = behind && server.size.saturating_mul(2) < count(&synced.numbers);
    !emptied && !halved && server.version >= synced.version
}

fn count(numbers: &BTreeSet<Msisdn>) -> i64 {
    i64::try_from(numbers.len()).unwrap_or(i64::MAX)
}

impl Plan {
    /// Whether the person must be asked first: the book would lose more than half.
    pub fn confirm_shrink_needed(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Snapshot { confirm_shrink_needed, .. } | Self::Amend { confirm_shrink_needed, .. } => {
                *confirm_shrink_needed
            }
        }
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let confirm = self.confirm_shrink_needed();
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Snapshot { numbers, if_match, .. } => {
                write!(f, "Snapshot({} numbers onto version {if_match}, confirm {confirm})", numbers.len())
            }
            Self::Amend { add, remove, if_match, .. } => {
                let (add, remove) = (add.len(), remove.len());
                write!(f, "Amend(+{add} -{remove} onto version {if_match}, confirm {confirm})")
            }
        }
    }
}
