//! Shares, and the feed that others see of them.
//!
//! A share is seen by its owner's matches alone, and only while the subscription is active and
//! the offering may be shared. That rule stands once, in [`FEED`].

use domain::Msisdn;
use domain::catalogue::OfferingId;
use domain::consent::Audience;
use domain::ids::SubscriptionId;
use domain::key::ContactKey;
use jiff::Timestamp;

use super::{Card, ExchangeTx, ExchangeView};
use crate::error::StoreError;
use crate::people::open_number;
use crate::sql::{Row, params};

/// Bits of chance in a share's number: with the milliseconds of the next thousand years they fit 63.
const SHARE_CHANCE_BITS: u32 = 20;

/// Which part of a feed.
#[derive(Debug, Clone, Default)]
pub struct FeedFilter {
    /// Of one friend alone.
    pub friend: Option<ContactKey>,
    /// Of one offering alone.
    pub offering: Option<OfferingId>,
    /// Shares before this one.
    pub before: Option<i64>,
}

/// One share as a viewer sees it.
#[derive(Debug, Clone)]
pub struct FeedItem {
    /// The share's number inside; outside it is sealed for the viewer.
    pub share: i64,
    /// Whose it is.
    pub owner: ContactKey,
    /// Their number.
    pub number: Msisdn,
    /// Shared since.
    pub since: Timestamp,
    /// What is shared.
    pub card: Card,
    /// Whether the viewer has it too.
    pub mine: bool,
    /// Whether this viewer's feed has shown it before.
    pub seen: bool,
}

impl FeedItem {
    /// The share's id as the viewer sees it.
    pub fn share_id(&self, keys: &crate::keys::Keys, viewer: ContactKey) -> String {
        keys.share_id(viewer, self.share, self.card.offering.version)
    }
}

/// The rule of who sees what. `$1` is the viewer; `$2` a friend or -1; `$3` an offering or ''; `$4` an
/// upper bound of the share, exclusive; `$5` a lower bound; `$6` how many.
const FEED: &str = "SELECT s.no, s.owner, p.number, s.since, c.body,
    (SELECT COUNT(*) FROM subscription o WHERE o.owner = m.owner AND o.offering = u.offering) AS mine,
    (SELECT COUNT(*) FROM share_seen e WHERE e.share = s.no AND e.viewer = m.owner) AS seen
  FROM matched m
  JOIN share s ON s.owner = m.friend
  JOIN subscription u ON u.id = s.subscription
  JOIN card c ON c.offering = u.offering
  JOIN subscriber p ON p.key = m.friend
  WHERE m.owner = $1 AND ($2 = CAST(-1 AS BIGINT) OR m.friend = $2) AND ($3 = CAST('' AS TEXT) OR u.offering = $3)
    AND s.no < $4 AND s.no >= $5
    AND u.status = 'active' AND c.sensitive = 0
    AND (s.named = 0 OR EXISTS (SELECT 1 FROM share_audience a WHERE a.share = s.no AND a.friend = m.owner))
  ORDER BY s.no DESC LIMIT $6";

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
    /// What a viewer's friends share with them, the newest share first.
    ///
    /// # Errors
    /// The store's.
    pub fn list_feed(
        &mut self,
        viewer: ContactKey,
        filter: &FeedFilter,
        count: usize,
    ) -> Result<Vec<FeedItem>, StoreError> {
        self.feed(viewer, filter, 0, count)
    }

    /// One share, if the viewer may see it.
    ///
    /// # Errors
    /// The store's.
    pub fn find_feed_item(&mut self, viewer: ContactKey, share: i64) -> Result<Option<FeedItem>, StoreError> {
        let only = FeedFilter { before: Some(share.saturating_add(1)), ..FeedFilter::default() };
        Ok(self.feed(viewer, &only, share, 1)?.pop())
    }

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

    fn feed(
        &mut self,
        viewer: ContactKey,
        filter: &FeedFilter,
        at_least: i64,
        count: usize,
    ) -> Result<Vec<FeedItem>, StoreError> {
        let friend = filter.friend.map_or(-1, |key| key.value().cast_signed());
        let offering = filter.offering.as_ref().map_or("", OfferingId::as_str);
        let before = filter.before.unwrap_or(i64::MAX);
        let rows = self.sql.query(FEED, params![viewer, friend, offering, before, at_least, count])?;
        rows.iter().map(|row| self.read_item(row)).collect()
    }

    fn read_item(&self, row: &Row) -> Result<FeedItem, StoreError> {
        let owner = row.key(1)?;
        Ok(FeedItem {
            share: row.int(0)?,
            owner,
            number: open_number(self.keys, owner, row.blob(2)?)?,
            since: row.time(3)?,
            card: Card::read(row.text(4)?)?,
            mine: row.bool(5)?,
            seen: row.bool(6)?,
        })
    }
}
