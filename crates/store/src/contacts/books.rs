//! Books, one compressed blob each, and the matches that a change of one brings and ends.
//!
//! Two people match when each stands in the other's book and neither hides from the other. That whole rule
//! is applied where matches are written, so that readers have one thing to look at, and hiding looks from
//! outside like having been taken out of a book.

use std::collections::BTreeSet;

use domain::key::ContactKey;
use jiff::Timestamp;

use super::{ContactsTx, ContactsView};
use crate::error::StoreError;
use crate::friends::matched_since;
use crate::sql::params;

/// For each of `$1`: the first book at or after its key.
const PROBE: &str = "SELECT w.value, b.key, b.keys FROM ({each $1}) w
  JOIN book b ON b.key = COALESCE((SELECT MIN(n.key) FROM book n WHERE n.key >= w.value),
                                  (SELECT MIN(n.key) FROM book n))
  ORDER BY w.value";

/// Matches in one direction; each stays as it is where it is there.
pub(super) const INSERT_MATCHES: &str = "INSERT INTO matched (owner, friend, since)
  SELECT CAST($1 AS BIGINT), w.value, CAST($2 AS BIGINT) FROM ({each $3}) w WHERE 1 = 1
  ON CONFLICT (owner, friend) DO NOTHING";

/// The same matches in both directions.
const INSERT_MATCHES_BOTH: &str = "INSERT INTO matched (owner, friend, since)
  SELECT CAST($1 AS BIGINT), w.value, CAST($2 AS BIGINT) FROM ({each $3}) w
  UNION ALL SELECT w.value, CAST($1 AS BIGINT), CAST($2 AS BIGINT) FROM ({each $3}) w WHERE 1 = 1
  ON CONFLICT (owner, friend) DO NOTHING";

/// A book, as its owner may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BookState {
    /// Goes up by one with each change; 0 before the first upload.
    pub version: i64,
    /// Contacts in it.
    pub size: usize,
}

/// What a change of a book did.
#[derive(Debug, Clone, Default)]
pub struct BookChange {
    /// The book after it.
    pub book: BookState,
    /// Contacts added.
    pub added: usize,
    /// Contacts removed.
    pub removed: usize,
    /// Who matches now and did not before.
    pub new_matches: Vec<ContactKey>,
    /// Who matched before and does not now.
    pub ended_matches: Vec<ContactKey>,
}

impl ContactsTx<'_> {
    /// Replaces a book; the matches follow in the same commit. The same book again changes nothing.
    /// The owner's own key is left out.
    ///
    /// # Errors
    /// The store's.
    pub fn replace_book(
        &mut self,
        owner: ContactKey,
        contacts: &BTreeSet<ContactKey>,
    ) -> Result<BookChange, StoreError> {
        let (state, old) = self.view.load_book(owner)?;
        let new: Vec<u64> = contacts.iter().filter(|key| **key != owner).map(|key| key.value()).collect();
        self.change_book(owner, state, &old, &new)
    }

    /// Adds to a book and removes from it; what is in both lists is added.
    ///
    /// # Errors
    /// The store's.
    pub fn amend_book(
        &mut self,
        owner: ContactKey,
        add: &BTreeSet<ContactKey>,
        remove: &BTreeSet<ContactKey>,
    ) -> Result<BookChange, StoreError> {
        let (state, old) = self.view.load_book(owner)?;
        let mut new: BTreeSet<u64> = old.iter().copied().collect();
        new.retain(|value| !remove.contains(&ContactKey::from_value(*value)));
        new.extend(add.iter().filter(|key| **key != owner).map(|key| key.value()));
        let new: Vec<u64> = new.into_iter().collect();
        self.change_book(owner, state, &old, &new)
    }

    /// Deletes a book's contacts and ends all matches that rest on it. What stays is a version that goes
    /// on from here: a terminal that was in step must see that it no longer is.
    ///
    /// # Errors
    /// The store's.
    pub fn forget_book(&mut self, owner: ContactKey) -> Result<(), StoreError> {
        self.view.sql.execute(
            "UPDATE book SET version = version + 1, size = 0, keys = $1, changed = $2 WHERE key = $3 AND size > 0",
            params![matching::book::encode(&[]), self.world.now(), owner],
        )?;
        // Both directions are found by their owners: a search by friend would read every match there is.
        self.view.sql.execute(
            "DELETE FROM matched WHERE friend = $1 AND owner IN (SELECT m.friend FROM matched m WHERE m.owner = $1)",
            params![owner],
        )?;
        self.view.sql.execute("DELETE FROM matched WHERE owner = $1", params![owner])?;
        Ok(())
    }

    fn change_book(
        &mut self,
        owner: ContactKey,
        state: BookState,
        old: &[u64],
        new: &[u64],
    ) -> Result<BookChange, StoreError> {
        let diff = matching::book::diff(old, new);
        if diff.added.is_empty() && diff.removed.is_empty() && state.version > 0 {
            return Ok(BookChange { book: state, ..BookChange::default() });
        }
        let now = self.world.now();
        let book = BookState { version: state.version + 1, size: new.len() };
        self.view.sql.execute(
            "INSERT INTO book (key, version, size, keys, changed) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (key) DO UPDATE SET version = excluded.version, size = excluded.size,
               keys = excluded.keys, changed = excluded.changed",
            params![owner, book.version, book.size, matching::book::encode(new), now],
        )?;
        let ended_matches = self.end_matches(owner, &as_keys(&diff.removed))?;
        let new_matches = self.begin_matches(owner, &as_keys(&diff.added), now)?;
        let (added, removed) = (diff.added.len(), diff.removed.len());
        Ok(BookChange { book, added, removed, new_matches, ended_matches })
    }

    /// Makes matches of a person and those of their contacts who list them, unless one hides.
    pub(super) fn begin_matches(
        &mut self,
        owner: ContactKey,
        contacts: &[ContactKey],
        since: Timestamp,
    ) -> Result<Vec<ContactKey>, StoreError> {
        let friends = self.view.listed_by(owner, contacts)?;
        if !friends.is_empty() {
            let params = params![owner, matched_since(since), friends.as_slice()];
            self.view.sql.execute(INSERT_MATCHES_BOTH, params)?;
        }
        Ok(friends)
    }

    /// Writes matches of a person down, in their direction alone; answers how many were not there before.
    pub(super) fn insert_matches(
        &mut self,
        owner: ContactKey,
        friends: &[ContactKey],
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        self.view.sql.execute(INSERT_MATCHES, params![owner, matched_since(since), friends])
    }

    /// Ends the matches of a person with some others; answers whom it ended with.
    pub(super) fn end_matches(
        &mut self,
        owner: ContactKey,
        removed: &[ContactKey],
    ) -> Result<Vec<ContactKey>, StoreError> {
        if removed.is_empty() {
            return Ok(Vec::new());
        }
        let ended = self.view.sql.query(
            "SELECT friend FROM matched WHERE owner = $1 AND friend {in $2}",
            params![owner, removed],
        )?;
        let ended = ended.iter().map(|row| row.key(0)).collect::<Result<Vec<_>, _>>()?;
        // Mostly nobody is among them: only where somebody is, something is written.
        if !ended.is_empty() {
            for sql in [
                "DELETE FROM matched WHERE owner = $1 AND friend {in $2}",
                "DELETE FROM matched WHERE friend = $1 AND owner {in $2}",
            ] {
                self.view.sql.execute(sql, params![owner, ended.as_slice()])?;
            }
        }
        Ok(ended)
    }
}

impl ContactsView<'_> {
    /// A book's version and size; both 0 when there is none.
    ///
    /// # Errors
    /// The store's.
    pub fn find_book(&mut self, owner: ContactKey) -> Result<BookState, StoreError> {
        let row = self.sql.query_one("SELECT version, size FROM book WHERE key = $1", params![owner])?;
        let Some(row) = row else { return Ok(BookState::default()) };
        let size =
            usize::try_from(row.int(1)?).map_err(|_| StoreError::damaged("a book of negative size"))?;
        Ok(BookState { version: row.int(0)?, size })
    }

    /// A book with its contacts.
    fn load_book(&mut self, owner: ContactKey) -> Result<(BookState, Vec<u64>), StoreError> {
        let row = self.sql.query_one("SELECT version, keys FROM book WHERE key = $1", params![owner])?;
        let Some(row) = row else { return Ok((BookState::default(), Vec::new())) };
        let contacts = decode(row.blob(1)?)?;
        Ok((BookState { version: row.int(0)?, size: contacts.len() }, contacts))
    }

    /// Which of `others` have `owner` in their books, and neither hides from the other.
    ///
    /// The work must not tell who is registered: somebody without a book is probed in a stand-in, the book
    /// of whoever comes next in the order of keys. Keys are permuted numbers, so the stand-ins' sizes are
    /// spread as those of all books are, and the time of a probe says nothing of the person asked for.
    fn listed_by(&mut self, owner: ContactKey, others: &[ContactKey]) -> Result<Vec<ContactKey>, StoreError> {
        if others.is_empty() {
            return Ok(Vec::new());
        }
        // Reading the other's book in the same transaction closes the race of two uploads: the embedded
        // writer runs one after the other, PostgreSQL's serializable isolation makes one of them run again.
        let probes = self.sql.query(PROBE, params![others])?;
        let hidden = self.list_hidden(owner, others)?;
        let mut listing = Vec::new();
        for probe in &probes {
            let (other, found) = (probe.key(0)?, probe.key(1)?);
            let contains = matching::book::contains(probe.blob(2)?, owner.value());
            let contains = contains.map_err(|error| StoreError::new(crate::Kind::Damaged, error))?;
            if contains & (found == other) & !hidden.contains(&other) {
                listing.push(other);
            }
        }
        Ok(listing)
    }

    /// Whom of some others a person hides, and who of them hides the person. Only these are looked for, each of them,
    /// so that the work does not tell by how many others one is hidden.
    fn list_hidden(
        &mut self,
        owner: ContactKey,
        others: &[ContactKey],
    ) -> Result<BTreeSet<ContactKey>, StoreError> {
        let rows = self.sql.query(
            "SELECT hidden FROM hidden WHERE owner = $1 AND hidden {in $2}
             UNION ALL SELECT owner FROM hidden WHERE hidden = $1 AND owner {in $2}",
            params![owner, others],
        )?;
        rows.iter().map(|row| row.key(0)).collect()
    }

    /// Whether a person's own book has a contact in it.
    pub(super) fn lists(&mut self, owner: ContactKey, contact: ContactKey) -> Result<bool, StoreError> {
        let row = self.sql.query_one("SELECT keys FROM book WHERE key = $1", params![owner])?;
        let Some(row) = row else { return Ok(false) };
        matching::book::contains(row.blob(0)?, contact.value())
            .map_err(|error| StoreError::new(crate::Kind::Damaged, error))
    }
}

fn as_keys(values: &[u64]) -> Vec<ContactKey> {
    values.iter().copied().map(ContactKey::from_value).collect()
}

pub(super) fn decode(blob: &[u8]) -> Result<Vec<u64>, StoreError> {
    matching::book::decode(blob).map_err(|error| StoreError::new(crate::Kind::Damaged, error))
}
