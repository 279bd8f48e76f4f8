//! Malformed rows: the first are named, all are counted.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::commands::matching::progress::Progress;
use crate::failure::Failure;

/// So many malformed rows are named; the others are only counted.
const NAMED_MAX: usize = 10;

/// Why a row is malformed. It repeats nothing of the row, which may hold somebody's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("one column instead of an owner and a contact, parted by a space, a tab or a comma")]
    OneColumn,
    #[error("more than two columns")]
    MoreColumns,
    #[error("a column that is not a number written in digits")]
    NotANumber,
    #[error("a number above {}", u64::MAX)]
    TooGreat,
    #[error("longer than a line may be")]
    TooLong,
    #[error("a column without a value")]
    Missing,
    #[error("a number below zero")]
    Negative,
}

/// How a format calls its rows.
pub(super) const LINE: &str = "line";
/// How a format without lines calls them.
pub(super) const ROW: &str = "row";

/// The malformed rows of all files.
pub(super) struct Faults<'a> {
    strict: bool,
    progress: &'a Progress,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    /// In all files.
    count: u64,
    named: usize,
    /// The first of this file by their places, for threads find them in any order.
    of_file: BTreeMap<u64, Fault>,
}

impl<'a> Faults<'a> {
    pub(super) fn new(strict: bool, progress: &'a Progress) -> Self {
        Self { strict, progress, found: Mutex::default() }
    }

    /// Notes a malformed row; tells whether to go on.
    pub(super) fn note(&self, place: u64, fault: Fault) -> bool {
        let mut found = self.found();
        found.count += 1;
        found.of_file.insert(place, fault);
        let room = NAMED_MAX.saturating_sub(found.named).max(1);
        if found.of_file.len() > room {
            found.of_file.pop_last();
        }
        !self.strict
    }

    /// Names what was found in a file, which has been read.
    ///
    /// # Errors
    /// A [`Failure`] when every row has to be right and one is not.
    pub(super) fn end_file(&self, file: &Path, row: &str) -> Result<(), Failure> {
        let mut found = self.found();
        let of_file = std::mem::take(&mut found.of_file);
        for (place, fault) in of_file {
            if self.strict {
                return Err(Failure::user(format!("{}, {row} {place}: {fault}", file.display()))
                    .hint("Correct the row; without --strict such rows are skipped."));
            }
            if found.named < NAMED_MAX {
                found.named += 1;
                self.progress.say(&format!("{}, {row} {place}: skipped: {fault}", file.display()));
            }
        }
        Ok(())
    }

    /// Tells how many rows were skipped, if any were.
    pub(super) fn end(&self) {
        let found = self.found();
        match found.count {
            0 => {}
            1 => self.progress.say("1 malformed row was skipped"),
            count if count <= NAMED_MAX as u64 => {
                self.progress.say(&format!("{count} malformed rows were skipped"));
            }
            count => {
                let words =
                    format!("{count} malformed rows were skipped; the first {NAMED_MAX} are named above");
                self.progress.say(&words);
            }
        }
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
