//! Who matches whom, and who hides from whom. Nobody matches while one of the two hides.

use domain::Msisdn;
use domain::key::ContactKey;
use jiff::Timestamp;

use super::{ContactsTx, ContactsView};
use crate::error::StoreError;
use crate::people::open_number;
use crate::sql::{Row, params};

/// One match as one of the two sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The other's key.
    pub friend: ContactKey,
    /// The other's number.
    pub number: Msisdn,
    /// Since when they match.
    pub since: Timestamp,
}

impl ContactsTx<'_> {
    /// Makes two people invisible to each other: their match ends. The other side cannot tell it from
    /// having been taken out of a book.
    ///
    /// # Errors
    /// The store's.
    pub fn hide(&mut self, owner: ContactKey, other: ContactKey) -> Result<(), StoreError> {
        self.view.sql.execute(
            "INSERT INTO hidden (owner, hidden) VALUES ($1, $2) ON CONFLICT (owner, hidden) DO NOTHING",
            params![owner, other],
        )?;
        self.end_matches(owner, &[other]).map(drop)
    }

    /// Takes a hiding back; answers whether the two match from now on and did not before.
    ///
    /// # Errors
    /// The store's.
    pub fn show(&mut self, owner: ContactKey, other: ContactKey) -> Result<bool, StoreError> {
        let shown = self
            .view
            .sql
            .execute("DELETE FROM hidden WHERE owner = $1 AND hidden = $2", params![owner, other])?;
        // Whoever is not hidden, or not listed, has nothing to gain: only the caller's own doing decides.
        if shown == 0 || !self.view.lists(owner, other)? {
            return Ok(false);
        }
        let now = self.world.now();
        Ok(!self.begin_matches(owner, &[other], now)?.is_empty())
    }
}

impl ContactsView<'_> {
    /// The matches of one person after a key, in order of key.
    ///
    /// # Errors
    /// The store's.
    pub fn list_matches(
        &mut self,
        owner: ContactKey,
        after: Option<ContactKey>,
        count: usize,
    ) -> Result<Vec<Match>, StoreError> {
        let after = after.map_or(-1, |key| key.value().cast_signed());
        let rows = self.sql.query(
            "SELECT m.friend, p.number, m.since FROM matched m JOIN subscriber p ON p.key = m.friend
             WHERE m.owner = $1 AND m.friend > $2
             ORDER BY m.friend LIMIT $3",
            params![owner, after, count],
        )?;
        rows.iter().map(|row| self.read_match(row)).collect()
    }

    /// The match of two people; `None` when they do not match, one hides, or one is nobody.
    ///
    /// # Errors
    /// The store's.
    pub fn find_match(&mut self, owner: ContactKey, friend: ContactKey) -> Result<Option<Match>, StoreError> {
        let row = self.sql.query_one(
            "SELECT m.friend, p.number, m.since FROM matched m JOIN subscriber p ON p.key = m.friend
             WHERE m.owner = $1 AND m.friend = $2",
            params![owner, friend],
        )?;
        row.as_ref().map(|row| self.read_match(row)).transpose()
    }

    /// How many people one hides.
    ///
    /// # Errors
    /// The store's.
    pub fn count_hidden(&mut self, owner: ContactKey) -> Result<i64, StoreError> {
        let row = self.sql.query_one("SELECT COUNT(*) FROM hidden WHERE owner = $1", params![owner])?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    /// Recomputes all matches from the books and the hidings and compares; answers how many directed matches are
    /// missing and how many are too many.
    ///
    /// # Errors
    /// The store's.
    pub fn check_matches(&mut self) -> Result<(usize, usize), StoreError> {
        let mut listed = std::collections::BTreeSet::new();
        for row in self.sql.query("SELECT key, keys FROM book", &[])? {
            let owner = row.key(0)?.value();
            listed.extend(super::books::decode(row.blob(1)?)?.into_iter().map(|contact| (owner, contact)));
        }
        let mut hidden = std::collections::BTreeSet::new();
        for row in self.sql.query("SELECT owner, hidden FROM hidden", &[])? {
            let (owner, other) = (row.key(0)?.value(), row.key(1)?.value());
            hidden.extend([(owner, other), (other, owner)]);
        }
        let mut missing = 0;
        let mut stored = std::collections::BTreeSet::new();
        for row in self.sql.query("SELECT owner, friend FROM matched", &[])? {
            stored.insert((row.key(0)?.value(), row.key(1)?.value()));
        }
        for (owner, contact) in &listed {
            let mutual = listed.contains(&(*contact, *owner));
            let matched = mutual && !hidden.contains(&(*owner, *contact));
            missing += usize::from(matched && !stored.remove(&(*owner, *contact)));
        }
        Ok((missing, stored.len()))
    }

    fn read_match(&self, row: &Row) -> Result<Match, StoreError> {
        let friend = row.key(0)?;
        Ok(Match { friend, number: open_number(self.keys, friend, row.blob(1)?)?, since: row.time(2)? })
    }
}
