//! Orders as the exchange and the terminal know them.

use domain::catalogue::OfferingId;
use domain::ids::OrderId;
use domain::key::ContactKey;
use domain::order::{OrderAction, Progress, Reason};
use jiff::Timestamp;
use serde_json::json;

use super::subscriptions::read_offering;
use super::{EventKind, ExchangeTx, ExchangeView};
use crate::error::StoreError;
use crate::sql::{Row, params};

/// An order about to be placed.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Its id.
    pub id: OrderId,
    /// Who orders.
    pub orderer: ContactKey,
    /// To subscribe or to unsubscribe.
    pub action: OrderAction,
    /// What.
    pub offering: OfferingId,
    /// The offering's version on the card.
    pub version: Option<i64>,
    /// The platform's product, to unsubscribe from.
    pub product: Option<String>,
    /// The share it came from.
    pub share: Option<i64>,
}

/// An order.
#[derive(Debug, Clone)]
pub struct Order {
    /// What was placed.
    pub placed: NewOrder,
    /// Where it stands.
    pub state: Progress,
    /// Why it did not end as it was meant.
    pub reason: Option<Reason>,
    /// The platform's id for it, once known.
    pub platform_order: Option<String>,
    /// When it was placed.
    pub created: Timestamp,
    /// When it changed last.
    pub changed: Timestamp,
}

/// What the platform says of an order.
#[derive(Debug, Clone)]
pub struct PlatformNews {
    /// The platform's id for it.
    pub platform_order: String,
    /// Where it stands.
    pub state: Progress,
    /// Why it did not end as it was meant.
    pub reason: Option<Reason>,
    /// When the platform said so: older news than what is known changes nothing.
    pub at: Timestamp,
}

impl ExchangeTx<'_> {
    /// Writes a new order down as queued.
    ///
    /// # Errors
    /// The store's.
    pub fn insert_order(&mut self, new: &NewOrder) -> Result<Order, StoreError> {
        let now = self.world.now();
        self.view.sql.execute(
            "INSERT INTO exchange_order (id, orderer, action, offering, version, product, share, state, platform_time, compared, created, changed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11)",
            params![
                new.id.0,
                new.orderer,
                new.action.word(),
                new.offering.as_str(),
                new.version,
                new.product.as_deref(),
                new.share,
                Progress::Queued.word(),
                now,
                now,
                now,
            ],
        )?;
        let order = Order {
            placed: new.clone(),
            state: Progress::Queued,
            reason: None,
            platform_order: None,
            created: now,
            changed: now,
        };
        self.tell(&order)?;
        Ok(order)
    }

    /// Brings an order in step with what the platform says; old news and news after the end change
    /// nothing. The news of the end is never old, however the platform's clock was set. An order given up as unreachable still follows the platform. Answers the order when it
    /// changed.
    ///
    /// # Errors
    /// The store's.
    pub fn apply_news(&mut self, id: OrderId, news: &PlatformNews) -> Result<Option<Order>, StoreError> {
        let touched = self.view.sql.execute(
            "UPDATE exchange_order SET state = $1, reason = $2, platform_order = $3, platform_time = $4, changed = $5
             WHERE id = $6 AND (platform_time <= $4 OR $7 = 1)
               AND (state NOT IN ('completed', 'partial', 'rejected', 'cancelled', 'failed') OR reason = 'PLATFORM_UNREACHABLE')
               AND (state <> $1 OR platform_order IS NULL)",
            params![
                news.state.word(),
                news.reason.map(Reason::word),
                news.platform_order.as_str(),
                news.at,
                self.world.now(),
                id.0,
                news.state.is_final(),
            ],
        )?;
        if touched == 0 {
            return Ok(None);
        }
        let order = self.view.load_order(id)?;
        self.tell(&order)?;
        Ok(Some(order))
    }

    /// Writes down that the subscriber wants an order cancelled.
    ///
    /// # Errors
    /// The store's.
    pub fn want_cancelled(&mut self, id: OrderId) -> Result<(), StoreError> {
        self.view.sql.execute("UPDATE exchange_order SET cancel = 1 WHERE id = $1", params![id.0])?;
        Ok(())
    }

    /// Ends an order that never reached the platform.
    ///
    /// # Errors
    /// The store's.
    pub fn end_unforwarded(
        &mut self,
        id: OrderId,
        state: Progress,
        reason: Reason,
    ) -> Result<Option<Order>, StoreError> {
        let touched = self.view.sql.execute(
            "UPDATE exchange_order SET state = $1, reason = $2, changed = $3 WHERE id = $4 AND state = 'queued'",
            params![state.word(), reason.word(), self.world.now(), id.0],
        )?;
        if touched == 0 {
            return Ok(None);
        }
        let order = self.view.load_order(id)?;
        self.tell(&order)?;
        Ok(Some(order))
    }

    fn tell(&mut self, order: &Order) -> Result<(), StoreError> {
        let reason = order.reason.map(Reason::word);
        let data = json!({ "order": order.placed.id, "state": order.state.word(), "reason": reason });
        self.append_event(order.placed.orderer, EventKind::Order, None, &data)
    }
}

impl ExchangeView<'_> {
    /// An order of one person.
    ///
    /// # Errors
    /// The store's.
    pub fn find_order(&mut self, orderer: ContactKey, id: OrderId) -> Result<Option<Order>, StoreError> {
        let order = self.find_any_order(id)?;
        Ok(order.filter(|order| order.placed.orderer == orderer))
    }

    /// An order, whosever it is: for what the platform says of it.
    ///
    /// # Errors
    /// The store's.
    pub fn find_any_order(&mut self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let row = self.sql.query_one(
            "SELECT id, orderer, action, offering, version, product, share, state, reason, platform_order, created, changed
             FROM exchange_order WHERE id = $1",
            params![id.0],
        )?;
        row.as_ref().map(read_order).transpose()
    }

    /// Whether the subscriber wants an order cancelled.
    ///
    /// # Errors
    /// The store's.
    pub fn is_cancel_wanted(&mut self, id: OrderId) -> Result<bool, StoreError> {
        let row = self.sql.query_one("SELECT cancel FROM exchange_order WHERE id = $1", params![id.0])?;
        row.map_or(Ok(false), |row| row.bool(0))
    }

    fn load_order(&mut self, id: OrderId) -> Result<Order, StoreError> {
        self.find_any_order(id)?.ok_or_else(|| StoreError::damaged("an order that was just written"))
    }

    /// A person's orders, the newest first, before one of them.
    ///
    /// # Errors
    /// The store's.
    pub fn list_orders(
        &mut self,
        orderer: ContactKey,
        before: Option<OrderId>,
        count: usize,
    ) -> Result<Vec<Order>, StoreError> {
        let before = before.map_or(vec![0xff; 16], |id| id.0.as_bytes().to_vec());
        let rows = self.sql.query(
            "SELECT id, orderer, action, offering, version, product, share, state, reason, platform_order, created, changed
             FROM exchange_order WHERE orderer = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
            params![orderer, before, count],
        )?;
        rows.iter().map(read_order).collect()
    }

    /// Whether a person has an order for an offering that has not ended.
    ///
    /// # Errors
    /// The store's.
    pub fn has_open_order(&mut self, orderer: ContactKey, offering: &OfferingId) -> Result<bool, StoreError> {
        let row = self.sql.query_one(
            "SELECT 1 FROM exchange_order WHERE orderer = $1 AND offering = $2 AND action = 'add'
             AND state IN ('queued', 'forwarded', 'awaiting_confirmation', 'in_progress') LIMIT 1",
            params![orderer, offering.as_str()],
        )?;
        Ok(row.is_some())
    }

    /// How many of a person's orders have not ended.
    ///
    /// # Errors
    /// The store's.
    pub fn count_open_orders(&mut self, orderer: ContactKey) -> Result<i64, StoreError> {
        let row = self.sql.query_one(
            "SELECT COUNT(*) FROM exchange_order WHERE orderer = $1
             AND state IN ('queued', 'forwarded', 'awaiting_confirmation', 'in_progress')",
            params![orderer],
        )?;
        row.map_or(Ok(0), |row| row.int(0))
    }
}

fn read_order(row: &Row) -> Result<Order, StoreError> {
    let unknown = || StoreError::damaged("an order with an unknown word");
    let placed = NewOrder {
        id: OrderId(row.uuid(0)?),
        orderer: row.key(1)?,
        action: OrderAction::parse(row.text(2)?).ok_or_else(unknown)?,
        offering: read_offering(row.text(3)?)?,
        version: row.opt_int(4)?,
        product: row.opt_text(5)?.map(str::to_owned),
        share: row.opt_int(6)?,
    };
    Ok(Order {
        placed,
        state: Progress::parse(row.text(7)?).ok_or_else(unknown)?,
        reason: row.opt_text(8)?.map(|word| Reason::parse(word).ok_or_else(unknown)).transpose()?,
        platform_order: row.opt_text(9)?.map(str::to_owned),
        created: row.time(10)?,
        changed: row.time(11)?,
    })
}
