//! Who matches whom.

use domain::Msisdn;
use domain::key::ContactKey;
use jiff::Timestamp;

use super::{FriendsView, Source, recompute};
use crate::error::StoreError;
use crate::sql::params;

/// One match as one of the two sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The other's key.
    pub friend: ContactKey,
    /// The other's number.
    pub number: Msisdn,
    /// Since when they match, to the second.
    pub since: Timestamp,
}

/// Whose matches, after which key, and how many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MatchPage {
    pub(crate) owner: ContactKey,
    pub(crate) after: Option<ContactKey>,
    pub(crate) count: usize,
}

/// Since when a match stands that is made at a moment: whole seconds, which memory keeps in 32 bits.
pub(crate) fn matched_since(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second().clamp(0, u32::MAX.into())).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl FriendsView<'_> {
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
        if let Source::Memory(memory) = self.source {
            let found = memory.matches(MatchPage { owner, after, count });
            return found.into_iter().map(|(friend, since)| self.kept_match(friend, since)).collect();
        }
        let after = after.map_or(-1, |key| key.value().cast_signed());
        let rows = self.rows()?.query(
            "SELECT friend, since FROM matched WHERE owner = $1 AND friend > $2 ORDER BY friend LIMIT $3",
            params![owner, after, count],
        )?;
        rows.iter().map(|row| self.read_match(row.key(0)?, row.time(1)?)).collect()
    }

    /// The match of two people; `None` when they do not match, one hides, or one is nobody.
    ///
    /// # Errors
    /// The store's.
    pub fn find_match(&mut self, owner: ContactKey, friend: ContactKey) -> Result<Option<Match>, StoreError> {
        if let Source::Memory(memory) = self.source {
            return memory.find_match(owner, friend).map(|since| self.kept_match(friend, since)).transpose();
        }
        let row = self.rows()?.query_one(
            "SELECT since FROM matched WHERE owner = $1 AND friend = $2",
            params![owner, friend],
        )?;
        row.map(|row| self.read_match(friend, row.time(0)?)).transpose()
    }

    /// Recomputes all matches from the books and the hidings and compares the rows with them; answers how many
    /// directed matches are missing and how many are too many.
    ///
    /// # Errors
    /// The store's.
    pub fn check_matches(&mut self) -> Result<(usize, usize), StoreError> {
        let sql = self.rows()?;
        let truth = recompute::Truth::load(sql)?;
        let mut stored = std::collections::HashSet::new();
        for row in sql.query("SELECT owner, friend FROM matched", &[])? {
            stored.insert((row.key(0)?.value(), row.key(1)?.value()));
        }
        let differences = truth.compare(|a, b| stored.contains(&(a, b)), || stored.iter().copied())?;
        Ok((differences.missing.len(), differences.extra.len()))
    }

    fn kept_match(&self, friend: ContactKey, since: u32) -> Result<Match, StoreError> {
        let since = Timestamp::from_second(since.into());
        self.read_match(friend, since.map_err(|_| StoreError::damaged("a time out of range"))?)
    }

    fn read_match(&self, friend: ContactKey, since: Timestamp) -> Result<Match, StoreError> {
        Ok(Match { friend, number: self.keys.number_of(friend)?, since })
    }
}
