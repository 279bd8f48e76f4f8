//! The feed: what others share with one.
//!
//! A share is seen by its owner's matches alone, and only while the subscription is active and the offering
//! may be shared. That rule stands in [`FEED`] for rows, and where memory is read for memory; a law holds the
//! two against each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::Msisdn;
use domain::catalogue::OfferingId;
use domain::key::ContactKey;
use jiff::Timestamp;

use super::{FriendsView, Source};
use crate::error::StoreError;
use crate::exchange::Card;
use crate::keys::Keys;
use crate::sql::{Row, params};

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
    pub card: Arc<Card>,
    /// Whether the viewer has it too.
    pub mine: bool,
    /// Whether this viewer's feed has shown it before.
    pub seen: bool,
}

impl FeedItem {
    /// The share's id as the viewer sees it.
    pub fn share_id(&self, keys: &Keys, viewer: ContactKey) -> String {
        keys.share_id(viewer, self.share, self.card.offering.version)
    }
}

/// Whose feed, which part of it, and how much.
pub(crate) struct FeedPage<'a> {
    pub(crate) viewer: ContactKey,
    pub(crate) filter: &'a FeedFilter,
    /// No share before this one.
    pub(crate) at_least: i64,
    pub(crate) count: usize,
}

impl FeedPage<'_> {
    /// The numbers that a share of this page may have.
    pub(crate) fn numbers(&self) -> std::ops::Range<i64> {
        self.at_least..self.filter.before.unwrap_or(i64::MAX)
    }
}

/// The rule of who sees what. `$1` is the viewer; `$2` a friend or -1; `$3` an offering or ''; `$4` an
/// upper bound of the share, exclusive; `$5` a lower bound; `$6` how many.
const FEED: &str = "SELECT s.no, s.owner, s.since, c.body,
    (SELECT COUNT(*) FROM subscription o WHERE o.owner = m.owner AND o.offering = u.offering) AS mine,
    (SELECT COUNT(*) FROM share_seen e WHERE e.share = s.no AND e.viewer = m.owner) AS seen
  FROM matched m
  JOIN share s ON s.owner = m.friend
  JOIN subscription u ON u.id = s.subscription
  JOIN card c ON c.offering = u.offering
  WHERE m.owner = $1 AND ($2 = CAST(-1 AS BIGINT) OR m.friend = $2) AND ($3 = CAST('' AS TEXT) OR u.offering = $3)
    AND s.no < $4 AND s.no >= $5
    AND u.status = 'active' AND c.sensitive = 0
    AND (s.named = 0 OR EXISTS (SELECT 1 FROM share_audience a WHERE a.share = s.no AND a.friend = m.owner))
  ORDER BY s.no DESC LIMIT $6";

impl FriendsView<'_> {
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
        self.feed(&FeedPage { viewer, filter, at_least: 0, count })
    }

    /// One share, if the viewer may see it.
    ///
    /// # Errors
    /// The store's.
    pub fn find_feed_item(&mut self, viewer: ContactKey, share: i64) -> Result<Option<FeedItem>, StoreError> {
        let only = FeedFilter { before: Some(share.saturating_add(1)), ..FeedFilter::default() };
        let page = FeedPage { viewer, filter: &only, at_least: share, count: 1 };
        Ok(self.feed(&page)?.pop())
    }

    fn feed(&mut self, page: &FeedPage<'_>) -> Result<Vec<FeedItem>, StoreError> {
        if let Source::Memory(memory) = self.source {
            return memory.feed(page, self.keys);
        }
        let friend = page.filter.friend.map_or(-1, |key| key.value().cast_signed());
        let offering = page.filter.offering.as_ref().map_or("", OfferingId::as_str);
        let numbers = page.numbers();
        let rows = self
            .rows()?
            .query(FEED, params![page.viewer, friend, offering, numbers.end, numbers.start, page.count])?;
        // Many friends share the same few offerings: each card is read once.
        let mut cards = BTreeMap::new();
        rows.iter().map(|row| self.read_item(row, &mut cards)).collect()
    }

    fn read_item<'r>(
        &self,
        row: &'r Row,
        cards: &mut BTreeMap<&'r str, Arc<Card>>,
    ) -> Result<FeedItem, StoreError> {
        let (owner, body) = (row.key(1)?, row.text(3)?);
        let card = match cards.get(body) {
            Some(card) => Arc::clone(card),
            None => Arc::clone(cards.entry(body).or_insert(Arc::new(Card::read(body)?))),
        };
        Ok(FeedItem {
            share: row.int(0)?,
            owner,
            number: self.keys.number_of(owner)?,
            since: row.time(2)?,
            card,
            mine: row.bool(4)?,
            seen: row.bool(5)?,
        })
    }
}
