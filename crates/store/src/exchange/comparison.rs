//! What is to be compared with the platform again: no event is certain to come.

use domain::consent::Consent;
use domain::ids::OrderId;
use domain::key::ContactKey;
use jiff::Timestamp;

use super::{ExchangeTx, ExchangeView};
use crate::error::StoreError;
use crate::sql::params;

/// An order that the platform may know more of than the exchange.
#[derive(Debug, Clone)]
pub struct Uncompared {
    /// The order.
    pub id: OrderId,
    /// The platform's id for it, once known.
    pub platform_order: Option<String>,
    /// When the platform said what is known.
    pub heard: Timestamp,
}

impl ExchangeView<'_> {
    /// Orders placed after `since` that the platform was not asked about since `before`, those asked about the longest
    /// ago first: the open ones that it has, and those given up as unreachable, which it may have.
    ///
    /// # Errors
    /// The store's.
    pub fn list_uncompared(
        &mut self,
        before: Timestamp,
        since: Timestamp,
        count: usize,
    ) -> Result<Vec<Uncompared>, StoreError> {
        let rows = self.sql.query(
            "SELECT id, platform_order, platform_time FROM exchange_order
             WHERE (state IN ('forwarded', 'awaiting_confirmation', 'in_progress') OR reason = 'PLATFORM_UNREACHABLE')
               AND compared < $1 AND created > $2
             ORDER BY compared LIMIT $3",
            params![before, since, count],
        )?;
        let read = |row: &crate::sql::Row| {
            Ok(Uncompared {
                id: OrderId(row.uuid(0)?),
                platform_order: row.opt_text(1)?.map(str::to_owned),
                heard: row.time(2)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Subscribers whose subscriptions were not asked for since `before`, those asked for the longest ago first.
    ///
    /// # Errors
    /// The store's.
    pub fn list_subscribers_uncompared(
        &mut self,
        before: Timestamp,
        count: usize,
    ) -> Result<Vec<ContactKey>, StoreError> {
        let rows = self.sql.query(
            "SELECT key FROM subscriptions_compared WHERE at < $1 ORDER BY at LIMIT $2",
            params![before, count],
        )?;
        rows.iter().map(|row| row.key(0)).collect()
    }
}

impl ExchangeTx<'_> {
    /// Writes down that the platform was asked about an order just now.
    ///
    /// # Errors
    /// The store's.
    pub fn mark_compared(&mut self, id: OrderId) -> Result<(), StoreError> {
        self.view.sql.execute(
            "UPDATE exchange_order SET compared = $1 WHERE id = $2",
            params![self.world.now(), id.0],
        )?;
        Ok(())
    }

    /// Writes down that a subscriber's subscriptions are asked for just now; those of whoever does not allow it are
    /// never asked for again.
    ///
    /// # Errors
    /// The store's.
    pub fn mark_subscriptions_compared(&mut self, key: ContactKey) -> Result<(), StoreError> {
        self.view.sql.execute(
            "INSERT INTO subscriptions_compared (key, at)
             SELECT c.key, CAST($1 AS BIGINT) FROM consent c WHERE c.key = $2 AND c.consent = $3
             ON CONFLICT (key) DO UPDATE SET at = excluded.at",
            params![self.world.now(), key, Consent::Subscriptions.word()],
        )?;
        self.view.sql.execute(
            "DELETE FROM subscriptions_compared WHERE key = $1
               AND NOT EXISTS (SELECT 1 FROM consent c WHERE c.key = $1 AND c.consent = $2)",
            params![key, Consent::Subscriptions.word()],
        )?;
        Ok(())
    }
}
