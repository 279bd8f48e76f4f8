//! The periods that products are in, and when each ends.

use domain::ids::ProductId;
use jiff::Timestamp;

use super::{PlatformTx, PlatformView};
use crate::error::StoreError;
use crate::sql::{Row, params};

/// The period that a product is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermRow {
    /// The product.
    pub product: ProductId,
    /// Whether another period follows by itself.
    pub renews: bool,
    /// Since when its periods are counted.
    pub anchor: Timestamp,
    /// The number of the period that began there.
    pub anchor_no: i64,
    /// The number of the period it is in; 0 is the first.
    pub period_no: i64,
    /// When that one ends.
    pub due: Timestamp,
    /// When the timer looks at it next.
    pub look_at: Timestamp,
    /// Since when its payer has been refused.
    pub refused: Option<Timestamp>,
}

macro_rules! terms {
    ($rest:literal) => {
        concat!(
            "SELECT product, renews, anchor, anchor_no, period_no, due, look_at, refused FROM product_term ",
            $rest
        )
    };
}

impl PlatformTx<'_> {
    /// Writes the period that a product is in.
    ///
    /// # Errors
    /// The store's.
    pub fn put_term(&mut self, term: &TermRow) -> Result<(), StoreError> {
        self.view.sql.execute(
            "INSERT INTO product_term (product, renews, anchor, anchor_no, period_no, due, look_at, refused)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (product) DO UPDATE SET renews = excluded.renews, anchor = excluded.anchor,
               anchor_no = excluded.anchor_no, period_no = excluded.period_no, due = excluded.due,
               look_at = excluded.look_at, refused = excluded.refused",
            params![
                term.product.0,
                term.renews,
                term.anchor,
                term.anchor_no,
                term.period_no,
                term.due,
                term.look_at,
                term.refused,
            ],
        )?;
        Ok(())
    }

    /// Has the timer look at a product's period later.
    ///
    /// # Errors
    /// The store's.
    pub fn postpone_term(&mut self, product: ProductId, look_at: Timestamp) -> Result<(), StoreError> {
        self.view.sql.execute(
            "UPDATE product_term SET look_at = $1 WHERE product = $2",
            params![look_at, product.0],
        )?;
        Ok(())
    }

    /// Takes the period of a product that has ended away.
    ///
    /// # Errors
    /// The store's.
    pub fn remove_term(&mut self, product: ProductId) -> Result<(), StoreError> {
        self.view.sql.execute("DELETE FROM product_term WHERE product = $1", params![product.0])?;
        Ok(())
    }
}

impl PlatformView<'_> {
    /// The period that a product is in.
    ///
    /// # Errors
    /// The store's.
    pub fn find_term(&mut self, product: ProductId) -> Result<Option<TermRow>, StoreError> {
        let row = self.sql.query_one(terms!("WHERE product = $1"), params![product.0])?;
        row.map(|row| read_term(&row)).transpose()
    }

    /// The products that the timer must look at by `now`, the longest due first.
    ///
    /// # Errors
    /// The store's.
    pub fn list_terms_due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<TermRow>, StoreError> {
        let rows = self
            .sql
            .query(terms!("WHERE look_at <= $1 ORDER BY look_at, product LIMIT $2"), params![now, limit])?;
        rows.iter().map(read_term).collect()
    }
}

fn read_term(row: &Row) -> Result<TermRow, StoreError> {
    Ok(TermRow {
        product: ProductId(row.uuid(0)?),
        renews: row.bool(1)?,
        anchor: row.time(2)?,
        anchor_no: row.int(3)?,
        period_no: row.int(4)?,
        due: row.time(5)?,
        look_at: row.time(6)?,
        refused: row.opt_time(7)?,
    })
}
