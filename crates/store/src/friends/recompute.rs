//! All matches from the books and the hidings alone, by the bulk matcher.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;

use matching::bulk::{Edge, EdgeSource, match_edges};

use crate::error::StoreError;
use crate::sql::Sql;

/// Books read in one part of the work: some 180,000 contacts.
const BOOKS_A_PART: usize = 1024;

/// What the matches follow from.
#[derive(Default)]
pub(crate) struct Truth {
    /// Everybody's book as it is stored.
    books: Vec<(u64, Box<[u8]>)>,
    /// Who hides from whom, in both directions.
    hidden: HashSet<(u64, u64)>,
}

/// Where matches, each in both directions, are not those that follow from the books.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences {
    pub(crate) missing: Vec<(u64, u64)>,
    pub(crate) extra: Vec<(u64, u64)>,
}

impl Truth {
    /// Reads it all from rows.
    pub(crate) fn load(sql: &mut dyn Sql) -> Result<Self, StoreError> {
        let mut truth = Self::default();
        for row in sql.query("SELECT key, keys FROM book", &[])? {
            truth.add_book(row.key(0)?.value(), row.blob(1)?);
        }
        for row in sql.query("SELECT owner, hidden FROM hidden", &[])? {
            truth.add_hidden(row.key(0)?.value(), row.key(1)?.value());
        }
        Ok(truth)
    }

    /// Takes a book in.
    pub(crate) fn add_book(&mut self, owner: u64, blob: &[u8]) {
        self.books.push((owner, blob.into()));
    }

    /// Takes in that one person hides another.
    pub(crate) fn add_hidden(&mut self, owner: u64, other: u64) {
        self.hidden.extend([(owner, other), (other, owner)]);
    }

    /// Compares matches with those that follow; `has` tells whether there is one in one direction, and `all` names
    /// all of them. O(contacts), on all cores; beside the books it takes what the bulk matcher takes.
    ///
    /// # Errors
    /// Damaged, when a book is not what was written.
    pub(crate) fn compare<I: Iterator<Item = (u64, u64)>>(
        &self,
        has: impl Fn(u64, u64) -> bool + Sync,
        all: impl Fn() -> I,
    ) -> Result<Differences, StoreError> {
        let found = AtomicUsize::new(0);
        let missing = self.follow(|pair| {
            let there = has(pair.0, pair.1);
            found.fetch_add(there.into(), Ordering::Relaxed);
            !there
        })?;
        let mut differences = Differences { missing, extra: Vec::new() };
        if all().count() != found.into_inner() {
            let follow: HashSet<(u64, u64)> = self.follow(|_| true)?.into_iter().collect();
            differences.extra.extend(all().filter(|pair| !follow.contains(pair)));
        }
        Ok(differences)
    }

    /// The matches that follow, in both directions, as far as they are wanted.
    fn follow(&self, wanted: impl Fn((u64, u64)) -> bool + Sync) -> Result<Vec<(u64, u64)>, StoreError> {
        let follow = Mutex::new(Vec::new());
        let take = |pairs: &[(u64, u64)]| {
            let shown = pairs.iter().filter(|pair| self.hidden.is_empty() || !self.hidden.contains(pair));
            let both = shown.flat_map(|&(a, b)| [(a, b), (b, a)]);
            let wanted: Vec<(u64, u64)> = both.filter(|pair| wanted(*pair)).collect();
            if !wanted.is_empty() {
                follow.lock().unwrap_or_else(PoisonError::into_inner).extend(wanted);
            }
        };
        let edges = Edges { books: &self.books, damaged: AtomicBool::new(false) };
        match_edges(&edges, available_parallelism().unwrap_or(NonZeroUsize::MIN), &take);
        if edges.damaged.into_inner() {
            return Err(StoreError::damaged("a book that is not what was written"));
        }
        Ok(follow.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The books as edges, decoded each time they are read.
struct Edges<'a> {
    books: &'a [(u64, Box<[u8]>)],
    damaged: AtomicBool,
}

impl EdgeSource for Edges<'_> {
    fn parts(&self) -> usize {
        self.books.len().div_ceil(BOOKS_A_PART)
    }

    fn read_part(&self, part: usize, take: &mut dyn FnMut(&[Edge])) {
        let mut edges = Vec::new();
        for (owner, blob) in self.books.iter().skip(part * BOOKS_A_PART).take(BOOKS_A_PART) {
            let Ok(book) = matching::book::decode(blob) else {
                self.damaged.store(true, Ordering::Relaxed);
                return;
            };
            edges.clear();
            edges.extend(book.into_iter().map(|contact| Edge { owner: *owner, contact }));
            take(&edges);
        }
    }
}
