//! Orders and their cancellations.

use domain::catalogue::OfferingId;
use domain::ids::{ProductId, ProductOrderId};
use domain::key::ContactKey;
use domain::order::{OrderAction, OrderState, Reason};
use jiff::Timestamp;
use uuid::Uuid;

use super::catalogue::read_offering_id;
use super::{PlatformTx, PlatformView, between_commas};
use crate::error::StoreError;
use crate::keys::Purpose;
use crate::sql::{Row, params};

/// An order and where it stands.
#[derive(Clone)]
pub struct OrderRow {
    /// The id.
    pub id: ProductOrderId,
    /// The id given by whoever placed it.
    pub external_id: Option<String>,
    /// Who orders; `None`: the order named nobody with a number.
    pub customer: Option<ContactKey>,
    /// What is asked for; `None`: the order did not say.
    pub action: Option<OrderAction>,
    /// The offering.
    pub offering: Option<OfferingId>,
    /// The offering's version when the order was decided.
    pub version: Option<i64>,
    /// The state.
    pub state: OrderState,
    /// Why it did not end as it was meant.
    pub reason: Option<Reason>,
    /// The order that stood in the way.
    pub open_order: Option<ProductOrderId>,
    /// The product that came of it, or that it ends.
    pub product: Option<ProductId>,
    /// The order as it was placed; sealed at rest.
    pub request: Vec<u8>,
    /// When it was taken.
    pub taken: Timestamp,
    /// When its state changed last.
    pub changed: Timestamp,
}

/// Which orders are meant; every part that is set must fit.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// Any of these external ids.
    pub external_ids: Option<Vec<String>>,
    /// Any of these customers.
    pub customers: Option<Vec<ContactKey>>,
    /// Any of these states.
    pub states: Option<Vec<OrderState>>,
    /// Only what the faces still show.
    pub shown: bool,
}

/// The task of cancelling an order.
#[derive(Debug, Clone)]
pub struct CancellationRow {
    /// The id.
    pub id: Uuid,
    /// Which order.
    pub order: ProductOrderId,
    /// Why, in the caller's words.
    pub why: Option<String>,
    /// Where the task stands, in the words of the interface.
    pub state: String,
    /// When.
    pub at: Timestamp,
}

impl PlatformTx<'_> {
    /// Writes a new order; `false` when its external id is taken.
    ///
    /// # Errors
    /// The store's.
    pub fn insert_order(&mut self, order: &OrderRow) -> Result<bool, StoreError> {
        let request = self.view.keys.seal(self.world, Purpose::Body, order.id.0.as_bytes(), &order.request);
        let written = self.view.sql.execute(
            "INSERT INTO product_order (id, external_id, customer, action, offering, version, state, reason,
               open_order, product, request, taken, changed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT (external_id) DO NOTHING",
            params![
                order.id.0,
                order.external_id.as_deref(),
                order.customer,
                order.action.map(OrderAction::word),
                order.offering.as_ref().map(OfferingId::as_str),
                order.version,
                order.state.word(),
                order.reason.map(Reason::word),
                order.open_order.map(|id| id.0),
                order.product.map(|id| id.0),
                request,
                order.taken,
                order.changed,
            ],
        )?;
        Ok(written == 1)
    }

    /// Moves an order from one state to another; `false` when it is not in the first. Whether the step
    /// is allowed is the caller's to know.
    ///
    /// # Errors
    /// The store's.
    pub fn move_order(
        &mut self,
        id: ProductOrderId,
        from: OrderState,
        to: OrderState,
        reason: Option<Reason>,
    ) -> Result<bool, StoreError> {
        let now = self.world.now();
        let moved = self.view.sql.execute(
            "UPDATE product_order SET state = $1, reason = $2, changed = $3 WHERE id = $4 AND state = $5",
            params![to.word(), reason.map(Reason::word), now, id.0, from.word()],
        )?;
        Ok(moved == 1)
    }

    /// Notes the product that came of an order.
    ///
    /// # Errors
    /// The store's.
    pub fn put_order_product(&mut self, id: ProductOrderId, product: ProductId) -> Result<(), StoreError> {
        self.view
            .sql
            .execute("UPDATE product_order SET product = $1 WHERE id = $2", params![product.0, id.0])?;
        Ok(())
    }

    /// Replaces an order's request, for one that names nobody any more.
    ///
    /// # Errors
    /// The store's.
    pub fn replace_request(&mut self, id: ProductOrderId, request: &[u8]) -> Result<(), StoreError> {
        let request = self.view.keys.seal(self.world, Purpose::Body, id.0.as_bytes(), request);
        self.view
            .sql
            .execute("UPDATE product_order SET request = $1 WHERE id = $2", params![request, id.0])?;
        Ok(())
    }

    /// Writes a cancellation down.
    ///
    /// # Errors
    /// The store's.
    pub fn insert_cancellation(&mut self, cancellation: &CancellationRow) -> Result<(), StoreError> {
        self.view.sql.execute(
            "INSERT INTO order_cancellation (id, product_order, why, state, at) VALUES ($1, $2, $3, $4, $5)",
            params![
                cancellation.id,
                cancellation.order.0,
                cancellation.why.as_deref(),
                cancellation.state.as_str(),
                cancellation.at,
            ],
        )?;
        Ok(())
    }
}

macro_rules! orders {
    ($rest:literal) => {
        concat!(
            "SELECT id, external_id, customer, action, offering, version, state, reason, open_order, product,
               request, taken, changed FROM product_order ",
            $rest
        )
    };
}

impl PlatformView<'_> {
    /// An order.
    ///
    /// # Errors
    /// The store's.
    pub fn find_order(&mut self, id: ProductOrderId) -> Result<Option<OrderRow>, StoreError> {
        let row = self.sql.query_one(orders!("WHERE id = $1"), params![id.0])?;
        row.map(|row| self.read_order(&row)).transpose()
    }

    /// The order placed under an external id.
    ///
    /// # Errors
    /// The store's.
    pub fn find_order_by_external_id(&mut self, external_id: &str) -> Result<Option<OrderRow>, StoreError> {
        let row = self.sql.query_one(orders!("WHERE external_id = $1"), params![external_id])?;
        row.map(|row| self.read_order(&row)).transpose()
    }

    /// A page of the orders that fit, the oldest first, with how many there are in all.
    ///
    /// # Errors
    /// The store's.
    pub fn list_orders(
        &mut self,
        filter: &OrderFilter,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<OrderRow>, i64), StoreError> {
        if let Some(external_ids) = &filter.external_ids {
            return self.list_orders_by_external_id(external_ids, filter, offset, limit);
        }
        let states = filter.states.as_deref().unwrap_or(OrderState::ALL);
        let states = between_commas(states.iter().map(|state| state.word()));
        let (rows, total) = match &filter.customers {
            Some(customers) => (
                self.sql.query(
                    orders!(
                        "WHERE customer {in $1} AND $2 LIKE '%,' || state || ',%'
                         AND ($3 = 0 OR id NOT IN (SELECT id FROM withdrawn)) ORDER BY id LIMIT $4 OFFSET $5"
                    ),
                    params![customers.as_slice(), states.as_str(), filter.shown, limit, offset],
                )?,
                self.sql.query_one(
                    "SELECT COUNT(*) FROM product_order WHERE customer {in $1} AND $2 LIKE '%,' || state || ',%'
                     AND ($3 = 0 OR id NOT IN (SELECT id FROM withdrawn))",
                    params![customers.as_slice(), states.as_str(), filter.shown],
                )?,
            ),
            None => (
                self.sql.query(
                    orders!(
                        "WHERE $1 LIKE '%,' || state || ',%'
                         AND ($2 = 0 OR id NOT IN (SELECT id FROM withdrawn)) ORDER BY id LIMIT $3 OFFSET $4"
                    ),
                    params![states.as_str(), filter.shown, limit, offset],
                )?,
                self.sql.query_one(
                    "SELECT COUNT(*) FROM product_order WHERE $1 LIKE '%,' || state || ',%'
                     AND ($2 = 0 OR id NOT IN (SELECT id FROM withdrawn))",
                    params![states.as_str(), filter.shown],
                )?,
            ),
        };
        let items = rows.iter().map(|row| self.read_order(row)).collect::<Result<_, _>>()?;
        Ok((items, total.map_or(Ok(0), |row| row.int(0))?))
    }

    fn list_orders_by_external_id(
        &mut self,
        external_ids: &[String],
        filter: &OrderFilter,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<OrderRow>, i64), StoreError> {
        let mut found = Vec::new();
        for external_id in external_ids {
            let order = self.find_order_by_external_id(external_id)?;
            let Some(order) = order else { continue };
            if !filter.shown || !self.is_withdrawn(order.id.0)? {
                found.push(order);
            }
        }
        found.retain(|order| {
            let customer = filter.customers.as_ref();
            customer.is_none_or(|any| order.customer.is_some_and(|key| any.contains(&key)))
                && filter.states.as_ref().is_none_or(|any| any.contains(&order.state))
        });
        found.sort_by_key(|order| order.id);
        found.dedup_by_key(|order| order.id);
        let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
        Ok((found.into_iter().skip(offset).take(limit).collect(), total))
    }

    /// Orders taken at a moment or later, after an id, the oldest first: of one customer or of all, in one
    /// state or in any.
    ///
    /// # Errors
    /// The store's.
    pub fn list_orders_since(
        &mut self,
        customer: Option<ContactKey>,
        state: Option<OrderState>,
        since: Timestamp,
        after: Option<ProductOrderId>,
        limit: usize,
    ) -> Result<Vec<OrderRow>, StoreError> {
        let after = after.map_or(Uuid::nil(), |id| id.0);
        let state = state.map_or("%", OrderState::word);
        let rows = match customer {
            Some(customer) => self.sql.query(
                orders!(
                    "WHERE customer = $1 AND id > $2 AND taken >= $3 AND state LIKE $4 ORDER BY id LIMIT $5"
                ),
                params![customer, after, since, state, limit],
            )?,
            None => self.sql.query(
                orders!("WHERE id > $1 AND taken >= $2 AND state LIKE $3 ORDER BY id LIMIT $4"),
                params![after, since, state, limit],
            )?,
        };
        rows.iter().map(|row| self.read_order(row)).collect()
    }

    /// A cancellation.
    ///
    /// # Errors
    /// The store's.
    pub fn find_cancellation(&mut self, id: Uuid) -> Result<Option<CancellationRow>, StoreError> {
        let row = self.sql.query_one(
            "SELECT id, product_order, why, state, at FROM order_cancellation WHERE id = $1",
            params![id],
        )?;
        row.map(|row| read_cancellation(&row)).transpose()
    }

    /// The cancellation that ended an order.
    ///
    /// # Errors
    /// The store's.
    pub fn find_cancellation_of(
        &mut self,
        order: ProductOrderId,
    ) -> Result<Option<CancellationRow>, StoreError> {
        let row = self.sql.query_one(
            "SELECT id, product_order, why, state, at FROM order_cancellation WHERE product_order = $1 ORDER BY id LIMIT 1",
            params![order.0],
        )?;
        row.map(|row| read_cancellation(&row)).transpose()
    }

    /// A page of the cancellations, the oldest first, with how many there are in all.
    ///
    /// # Errors
    /// The store's.
    pub fn list_cancellations(
        &mut self,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<CancellationRow>, i64), StoreError> {
        let rows = self.sql.query(
            "SELECT id, product_order, why, state, at FROM order_cancellation ORDER BY id LIMIT $1 OFFSET $2",
            params![limit, offset],
        )?;
        let total = self.sql.query_one("SELECT COUNT(*) FROM order_cancellation", &[])?;
        let items = rows.iter().map(read_cancellation).collect::<Result<_, _>>()?;
        Ok((items, total.map_or(Ok(0), |row| row.int(0))?))
    }

    fn read_order(&self, row: &Row) -> Result<OrderRow, StoreError> {
        let id = row.uuid(0)?;
        let unknown = || StoreError::damaged("an order in words that are not known");
        let opt_uuid = |column| -> Result<Option<Uuid>, StoreError> {
            let blob = row.opt_blob(column)?;
            blob.map(|bytes| Uuid::from_slice(bytes).map_err(|_| unknown())).transpose()
        };
        Ok(OrderRow {
            id: ProductOrderId(id),
            external_id: row.opt_text(1)?.map(str::to_owned),
            customer: row.opt_int(2)?.map(|key| ContactKey::from_value(key.cast_unsigned())),
            action: row.opt_text(3)?.map(|word| OrderAction::parse(word).ok_or_else(unknown)).transpose()?,
            offering: row.opt_text(4)?.map(read_offering_id).transpose()?,
            version: row.opt_int(5)?,
            state: OrderState::parse(row.text(6)?).ok_or_else(unknown)?,
            reason: row.opt_text(7)?.map(|word| Reason::parse(word).ok_or_else(unknown)).transpose()?,
            open_order: opt_uuid(8)?.map(ProductOrderId),
            product: opt_uuid(9)?.map(ProductId),
            request: self.keys.open(Purpose::Body, id.as_bytes(), row.blob(10)?)?,
            taken: row.time(11)?,
            changed: row.time(12)?,
        })
    }
}

fn read_cancellation(row: &Row) -> Result<CancellationRow, StoreError> {
    Ok(CancellationRow {
        id: row.uuid(0)?,
        order: ProductOrderId(row.uuid(1)?),
        why: row.opt_text(2)?.map(str::to_owned),
        state: row.text(3)?.to_owned(),
        at: row.time(4)?,
    })
}
