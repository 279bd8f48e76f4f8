//! Shares: what of a person's subscriptions others may see. Who sees it is decided where it is read.

use domain::consent::Audience;
use domain::ids::SubscriptionId;
use domain::key::ContactKey;
use jiff::Timestamp;

use super::{ExchangeTx, ExchangeView};
use crate::error::StoreError;
use crate::sql::params;

/// Bits of chance in a share's number: with the milliseconds of the next thousand years they fit 63.
const SHARE_CHANCE_BITS: u32 = 20;

impl ExchangeTx<'_> {
    /// Shares a subscription, or changes who sees it. Answers the share and whether it is new.
    ///
    /// # Errors
    /// The store's.
    pub fn share(
        &mut self,
        owner: ContactKey,
        subscription: SubscriptionId,
        audience: &Audience,
    ) -> Result<(i64, bool), StoreError> {
        let named = matches!(audience, Audience::Only(_));
        let known = self
            .view
            .sql
            .query_one("SELECT no FROM share WHERE subscription = $1", params![subscription.0])?;
        let fresh = self.draw_share_number()?;
        let row = self.view.sql.query_one(
            "INSERT INTO share (no, subscription, owner, named, since) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (subscription) DO UPDATE SET named = excluded.named RETURNING no",
            params![fresh, subscription.0, owner, named, self.world.now()],
        )?;
        let no = row.ok_or_else(|| StoreError::damaged("a share without a number"))?.int(0)?;
        self.view.sql.execute("DELETE FROM share_audience WHERE share = $1", params![no])?;
        if let Audience::Only(friends) = audience {
            for friend in friends {
                self.view.sql.execute(
                    "INSERT INTO share_audience (share, friend) VALUES ($1, $2) ON CONFLICT (share, friend) DO NOTHING",
                    params![no, *friend],
                )?;
            }
        }
        Ok((no, known.is_none()))
    }

    /// A number that no share has: the milliseconds in front, so that newer shares have higher ones, and
    /// chance behind. One that counted up would change with what strangers share.
    fn draw_share_number(&mut self) -> Result<i64, StoreError> {
        loop {
            let millis = self.world.now().as_millisecond();
            let no = (millis << SHARE_CHANCE_BITS) | i64::from(self.world.below(1 << SHARE_CHANCE_BITS));
            if self.view.sql.query("SELECT 1 FROM share WHERE no = $1", params![no])?.is_empty() {
                return Ok(no);
            }
        }
    }

    /// Takes a share back; `false` when there was none.
    ///
    /// # Errors
    /// The store's.
    pub fn unshare(&mut self, subscription: SubscriptionId) -> Result<bool, StoreError> {
        let row = self
            .view
            .sql
            .query_one("DELETE FROM share WHERE subscription = $1 RETURNING no", params![subscription.0])?;
        let Some(row) = row else { return Ok(false) };
        let no = row.int(0)?;
        self.view.sql.execute("DELETE FROM share_audience WHERE share = $1", params![no])?;
        self.view.sql.execute("DELETE FROM share_seen WHERE share = $1", params![no])?;
        Ok(true)
    }

    /// Writes down that a viewer has seen, or opened, a share; `true` the first time.
    ///
    /// # Errors
    /// The store's.
    pub fn mark_seen(&mut self, share: i64, viewer: ContactKey, opened: bool) -> Result<bool, StoreError> {
        let marked = self.view.sql.execute(
            "INSERT INTO share_seen (share, viewer, opened) VALUES ($1, $2, $3)
             ON CONFLICT (share, viewer) DO UPDATE SET opened = 1 WHERE share_seen.opened < excluded.opened",
            params![share, viewer, opened],
        )?;
        Ok(marked == 1)
    }
}

impl ExchangeView<'_> {
    /// Since when a subscription is shared, and with how many named people; `None` for every match.
    ///
    /// # Errors
    /// The store's.
    pub fn find_share(
        &mut self,
        subscription: SubscriptionId,
    ) -> Result<Option<(Timestamp, Option<i64>)>, StoreError> {
        let row = self.sql.query_one(
            "SELECT s.since, s.named, (SELECT COUNT(*) FROM share_audience a WHERE a.share = s.no)
             FROM share s WHERE s.subscription = $1",
            params![subscription.0],
        )?;
        let Some(row) = row else { return Ok(None) };
        let named = row.bool(1)?.then(|| row.int(2)).transpose()?;
        Ok(Some((row.time(0)?, named)))
    }

    /// Who can see a subscription's share just now.
    ///
    /// # Errors
    /// The store's.
    pub fn list_viewers(&mut self, subscription: SubscriptionId) -> Result<Vec<ContactKey>, StoreError> {
        let rows = self.sql.query(
            "SELECT m.friend FROM share s JOIN matched m ON m.owner = s.owner
             WHERE s.subscription = $1
               AND (s.named = 0 OR EXISTS (SELECT 1 FROM share_audience a WHERE a.share = s.no AND a.friend = m.friend))",
            params![subscription.0],
        )?;
        rows.iter().map(|row| row.key(0)).collect()
    }
}
