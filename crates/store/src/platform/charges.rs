//! Charge events: written with what causes them, handed over later.

use domain::charging::{ChargeEvent, ChargeKind};
use domain::ids::{ProductId, ProductOrderId};
use domain::key::ContactKey;
use domain::money::Money;
use jiff::Timestamp;
use uuid::Uuid;

use super::catalogue::read_offering_id;
use super::{PlatformTx, PlatformView, ProductRow};
use crate::error::{Kind, StoreError};
use crate::people::open_number;
use crate::sql::{Row, params};

/// A charge event that is to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewCharge<'a> {
    /// What is charged, at its own price.
    pub product: &'a ProductRow,
    /// How much.
    pub money: Money,
    /// Why.
    pub kind: ChargeKind,
    /// For which period.
    pub period_no: i64,
    /// The event that a reversal gives back.
    pub reverses: Option<Uuid>,
}

/// A charge event and how far it has come.
#[derive(Debug, Clone)]
pub struct ChargeRow {
    /// Who pays.
    pub customer: ContactKey,
    /// What is handed over.
    pub event: ChargeEvent,
    /// Whether the charging system has taken it.
    pub delivered: bool,
    /// Whether the charging system will not have it.
    pub refused: bool,
    /// How often it was tried in vain.
    pub tries: i64,
}

impl PlatformTx<'_> {
    /// Writes the charge event of a product's activation; a second one changes nothing.
    ///
    /// # Errors
    /// The store's.
    pub fn insert_activation_charge(&mut self, product: &ProductRow) -> Result<(), StoreError> {
        let money = product.price.money;
        let (kind, period_no, reverses) = (ChargeKind::Activation, 0, None);
        self.insert_charge(&NewCharge { product, money, kind, period_no, reverses })?;
        Ok(())
    }

    /// Writes a charge event; `false`, and nothing, when this product has one of this kind for this
    /// period already.
    ///
    /// # Errors
    /// The store's.
    pub fn insert_charge(&mut self, charge: &NewCharge<'_>) -> Result<bool, StoreError> {
        let (id, now) = (self.world.uuid(), self.world.now());
        let NewCharge { product, money, kind, period_no, reverses } = *charge;
        let last = self.view.sql.query_one(
            "SELECT COALESCE(MAX(payer_no), 0) FROM charge_event WHERE customer = $1",
            params![product.customer],
        )?;
        let payer_no = last.map_or(Ok(0), |row| row.int(0))? + 1;
        let written = self.view.sql.execute(
            "INSERT INTO charge_event (id, product, customer, payer_no, offering, kind, period_no, hundredths,
               currency, at, delivered, reverses, refused, tries)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, 0, 0)
             ON CONFLICT (product, kind, period_no) DO NOTHING",
            params![
                id,
                product.id.0,
                product.customer,
                payer_no,
                product.offering.as_str(),
                kind.word(),
                period_no,
                money.hundredths(),
                money.currency(),
                now,
                reverses,
            ],
        )?;
        Ok(written == 1)
    }

    /// Notes that the charging system has taken an event.
    ///
    /// # Errors
    /// The store's.
    pub fn settle_charge(&mut self, id: Uuid) -> Result<(), StoreError> {
        self.view
            .sql
            .execute("UPDATE charge_event SET delivered = 1, refused = 0 WHERE id = $1", params![id])?;
        Ok(())
    }

    /// Notes a try in vain; `refused` when there is no sense in another one.
    ///
    /// # Errors
    /// The store's.
    pub fn fail_charge(&mut self, id: Uuid, refused: bool) -> Result<(), StoreError> {
        self.view.sql.execute(
            "UPDATE charge_event SET tries = tries + 1, refused = $1 WHERE id = $2 AND delivered = 0",
            params![refused, id],
        )?;
        Ok(())
    }

    /// Puts an event that was refused back among those to hand over; `false` when it is none.
    ///
    /// # Errors
    /// The store's.
    pub fn retry_charge(&mut self, id: Uuid) -> Result<bool, StoreError> {
        let changed = self.view.sql.execute(
            "UPDATE charge_event SET refused = 0, tries = 0 WHERE id = $1 AND refused = 1 AND delivered = 0",
            params![id],
        )?;
        Ok(changed == 1)
    }
}

macro_rules! charges {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.customer, COALESCE(c.number, f.number), e.payer_no, e.kind, e.product, e.offering, e.period_no,
               e.hundredths, e.currency, e.at, e.reverses, e.delivered, e.refused, e.tries
             FROM charge_event e LEFT JOIN customer c ON c.key = e.customer
             LEFT JOIN former_customer f ON f.key = e.customer
             WHERE COALESCE(c.number, f.number) IS NOT NULL AND ",
            $rest
        )
    };
}

impl PlatformView<'_> {
    /// A charge event.
    ///
    /// # Errors
    /// The store's.
    pub fn find_charge(&mut self, id: Uuid) -> Result<Option<ChargeRow>, StoreError> {
        let row = self.sql.query_one(charges!("e.id = $1"), params![id])?;
        row.map(|row| self.read_charge(&row)).transpose()
    }

    /// The charge events of a product, each payer's in order.
    ///
    /// # Errors
    /// The store's.
    pub fn list_product_charges(&mut self, product: ProductId) -> Result<Vec<ChargeRow>, StoreError> {
        let rows = self.sql.query(charges!("e.product = $1 ORDER BY e.payer_no"), params![product.0])?;
        rows.iter().map(|row| self.read_charge(row)).collect()
    }

    /// The charge events of a product: id, kind and hundredths, the oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn list_charges(&mut self, product: ProductId) -> Result<Vec<(Uuid, String, i64)>, StoreError> {
        let rows = self.sql.query(
            "SELECT id, kind, hundredths FROM charge_event WHERE product = $1 ORDER BY payer_no",
            params![product.0],
        )?;
        rows.iter().map(|row| Ok((row.uuid(0)?, row.text(1)?.to_owned(), row.int(2)?))).collect()
    }

    /// What a payer's events still to be handed over are, in order.
    ///
    /// # Errors
    /// The store's.
    pub fn list_open_charges(
        &mut self,
        customer: ContactKey,
        limit: usize,
    ) -> Result<Vec<ChargeRow>, StoreError> {
        let rows = self.sql.query(
            charges!("e.customer = $1 AND e.delivered = 0 ORDER BY e.payer_no LIMIT $2"),
            params![customer, limit],
        )?;
        rows.iter().map(|row| self.read_charge(row)).collect()
    }

    /// The payers with events still to be handed over, after a given one.
    ///
    /// # Errors
    /// The store's.
    pub fn list_open_payers(
        &mut self,
        after: Option<ContactKey>,
        limit: usize,
    ) -> Result<Vec<ContactKey>, StoreError> {
        let after = after.map_or(i64::MIN, |key| key.value().cast_signed());
        let rows = self.sql.query(
            "SELECT DISTINCT customer FROM charge_event WHERE delivered = 0 AND customer > $1
             ORDER BY customer LIMIT $2",
            params![after, limit],
        )?;
        rows.iter().map(|row| row.key(0)).collect()
    }

    /// The events that the charging system will not have, a page of them after an id.
    ///
    /// # Errors
    /// The store's.
    pub fn list_refused_charges(&mut self, after: Uuid, limit: usize) -> Result<Vec<ChargeRow>, StoreError> {
        let rows = self.sql.query(
            charges!("e.delivered = 0 AND e.refused = 1 AND e.id > $1 ORDER BY e.id LIMIT $2"),
            params![after, limit],
        )?;
        rows.iter().map(|row| self.read_charge(row)).collect()
    }

    /// All charge events, a page of them after an id.
    ///
    /// # Errors
    /// The store's.
    pub fn list_all_charges(&mut self, after: Uuid, limit: usize) -> Result<Vec<ChargeRow>, StoreError> {
        let rows = self.sql.query(charges!("e.id > $1 ORDER BY e.id LIMIT $2"), params![after, limit])?;
        rows.iter().map(|row| self.read_charge(row)).collect()
    }

    /// How many events wait to be handed over, and how many of them were refused.
    ///
    /// # Errors
    /// The store's.
    pub fn count_open_charges(&mut self) -> Result<(i64, i64), StoreError> {
        let row = self.sql.query_one(
            "SELECT COUNT(*), CAST(COALESCE(SUM(refused), 0) AS BIGINT) FROM charge_event WHERE delivered = 0",
            &[],
        )?;
        row.map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
    }

    /// What a payer was charged since `since` and not given back, and what their open confirmations, but for
    /// the order `except`, and the subscriptions that wait for their provider would charge; in hundredths.
    ///
    /// # Errors
    /// The store's.
    pub fn load_spend(
        &mut self,
        customer: ContactKey,
        since: Timestamp,
        except: Option<ProductOrderId>,
    ) -> Result<i64, StoreError> {
        let charged = self.sql.query_one(
            "SELECT CAST(COALESCE(SUM(e.hundredths), 0) AS BIGINT) FROM charge_event e
             WHERE e.customer = $1 AND e.at >= $2 AND e.kind <> 'reversal'
               AND NOT EXISTS (SELECT 1 FROM charge_event r WHERE r.reverses = e.id)",
            params![customer, since],
        )?;
        // No order has the nil id.
        let except = except.map_or(Uuid::nil(), |order| order.0);
        let open = self.sql.query_one(
            "SELECT CAST(COALESCE(SUM(f.hundredths), 0) AS BIGINT) FROM confirmation c
             JOIN product_order o ON o.id = c.product_order JOIN catalogue_offering f ON f.id = o.offering
             WHERE c.customer = $1 AND c.outcome = 'open' AND c.product_order <> $2",
            params![customer, except],
        )?;
        let waiting = self.sql.query_one(
            "SELECT CAST(COALESCE(SUM(hundredths), 0) AS BIGINT) FROM product
             WHERE customer = $1 AND state = 'pendingActive'",
            params![customer],
        )?;
        let sum = |row: Option<Row>| row.map_or(Ok(0), |row| row.int(0));
        Ok(sum(charged)?.saturating_add(sum(open)?).saturating_add(sum(waiting)?))
    }

    fn read_charge(&self, row: &Row) -> Result<ChargeRow, StoreError> {
        let customer = row.key(1)?;
        let damaged = |what| StoreError::damaged(what);
        let nothing =
            Money::parse("0.00", row.text(9)?).map_err(|error| StoreError::new(Kind::Damaged, error))?;
        let reverses = row.opt_blob(11)?.map(Uuid::from_slice).transpose();
        Ok(ChargeRow {
            customer,
            event: ChargeEvent {
                id: row.uuid(0)?,
                number: open_number(self.keys, customer, row.blob(2)?)?,
                payer_no: row.int(3)?,
                kind: ChargeKind::parse(row.text(4)?).ok_or_else(|| damaged("a charge of no known kind"))?,
                product: ProductId(row.uuid(5)?),
                offering: read_offering_id(row.text(6)?)?,
                period_no: row.int(7)?,
                money: nothing.with_hundredths(row.int(8)?),
                at: row.time(10)?,
                reverses: reverses.map_err(|_| damaged("a charge that reverses no id"))?,
            },
            delivered: row.bool(12)?,
            refused: row.bool(13)?,
            tries: row.int(14)?,
        })
    }
}
