//! Who hides from whom. Nobody matches while one of the two hides.

use domain::key::ContactKey;
use jiff::Timestamp;

use super::books::INSERT_MATCHES;
use super::{ContactsTx, ContactsView};
use crate::error::StoreError;
use crate::friends::matched_since;
use crate::sql::{Sql, params};

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
    /// How many people one hides.
    ///
    /// # Errors
    /// The store's.
    pub fn count_hidden(&mut self, owner: ContactKey) -> Result<i64, StoreError> {
        let row = self.sql.query_one("SELECT COUNT(*) FROM hidden WHERE owner = $1", params![owner])?;
        row.map_or(Ok(0), |row| row.int(0))
    }
}

/// Puts directed matches right that are missing or too many.
pub(crate) fn mend_matches(
    sql: &mut dyn Sql,
    missing: &[(u64, u64)],
    extra: &[(u64, u64)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = ContactKey::from_value;
    for &(owner, friend) in missing {
        sql.execute(INSERT_MATCHES, params![key(owner), matched_since(now), [key(friend)].as_slice()])?;
    }
    for &(owner, friend) in extra {
        sql.execute(
            "DELETE FROM matched WHERE owner = $1 AND friend = $2",
            params![key(owner), key(friend)],
        )?;
    }
    Ok(())
}
