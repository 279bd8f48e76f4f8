//! Products, and the claims that keep them single.

use domain::catalogue::OfferingId;
use domain::ids::{ProductId, ProductOrderId};
use domain::key::ContactKey;
use domain::money::Price;
use domain::order::ProductState;
use jiff::Timestamp;

use super::catalogue::{read_offering_id, read_price};
use super::{PlatformTx, PlatformView, between_commas};
use crate::error::StoreError;
use crate::sql::{Row, params};

/// A subscription as the platform knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRow {
    /// The id.
    pub id: ProductId,
    /// Whose it is.
    pub customer: ContactKey,
    /// What it is.
    pub offering: OfferingId,
    /// The state.
    pub state: ProductState,
    /// Its price when it began.
    pub price: Price,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub ended: Option<Timestamp>,
}

/// Which products are meant; every part that is set must fit.
#[derive(Debug, Clone, Default)]
pub struct ProductFilter {
    /// Any of these customers.
    pub customers: Option<Vec<ContactKey>>,
    /// Any of these states.
    pub states: Option<Vec<ProductState>>,
    /// Any of these offerings.
    pub offerings: Option<Vec<OfferingId>>,
    /// Only what the faces still show.
    pub shown: bool,
}

/// Who holds a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimHolder {
    /// An order not yet ended.
    Order(ProductOrderId),
    /// A live product.
    Product(ProductId),
}

impl PlatformTx<'_> {
    /// Takes the claim of a customer on an offering for an order.
    ///
    /// # Errors
    /// The store's; who holds the claim is an answer, not an error.
    pub fn take_claim(
        &mut self,
        customer: ContactKey,
        offering: &OfferingId,
        order: ProductOrderId,
    ) -> Result<Option<ClaimHolder>, StoreError> {
        let taken = self.view.sql.execute(
            "INSERT INTO product_claim (customer, offering, open_order, product) VALUES ($1, $2, $3, NULL)
             ON CONFLICT (customer, offering) DO NOTHING",
            params![customer, offering.as_str(), order.0],
        )?;
        if taken == 1 { Ok(None) } else { self.view.find_claim(customer, offering) }
    }

    /// Takes the claim for a product that comes without an order; `false` when somebody holds it.
    ///
    /// # Errors
    /// The store's.
    pub fn take_claim_for_product(&mut self, product: &ProductRow) -> Result<bool, StoreError> {
        let taken = self.view.sql.execute(
            "INSERT INTO product_claim (customer, offering, open_order, product) VALUES ($1, $2, NULL, $3)
             ON CONFLICT (customer, offering) DO NOTHING",
            params![product.customer, product.offering.as_str(), product.id.0],
        )?;
        Ok(taken == 1)
    }

    /// Hands a claim from its order to the product that came of it.
    ///
    /// # Errors
    /// The store's.
    pub fn pass_claim(&mut self, order: ProductOrderId, product: &ProductRow) -> Result<bool, StoreError> {
        let passed = self.view.sql.execute(
            "UPDATE product_claim SET open_order = NULL, product = $1
             WHERE customer = $2 AND offering = $3 AND open_order = $4",
            params![product.id.0, product.customer, product.offering.as_str(), order.0],
        )?;
        Ok(passed == 1)
    }

    /// Gives a claim back, if it is held by this one.
    ///
    /// # Errors
    /// The store's.
    pub fn release_claim(
        &mut self,
        customer: ContactKey,
        offering: &OfferingId,
        holder: ClaimHolder,
    ) -> Result<(), StoreError> {
        let id = match holder {
            ClaimHolder::Order(id) => id.0,
            ClaimHolder::Product(id) => id.0,
        };
        self.view.sql.execute(
            "DELETE FROM product_claim WHERE customer = $1 AND offering = $2 AND (open_order = $3 OR product = $4)",
            params![customer, offering.as_str(), id, id],
        )?;
        Ok(())
    }

    /// Writes a new product.
    ///
    /// # Errors
    /// The store's.
    pub fn insert_product(&mut self, product: &ProductRow) -> Result<(), StoreError> {
        self.view.sql.execute(
            "INSERT INTO product (id, customer, offering, state, hundredths, currency, period, since, ended)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            params![
                product.id.0,
                product.customer,
                product.offering.as_str(),
                product.state.word(),
                product.price.money.hundredths(),
                product.price.money.currency(),
                product.price.period.word(),
                product.since,
                product.ended,
            ],
        )?;
        Ok(())
    }

    /// Notes since when a product is in use: from when its provider has started it.
    ///
    /// # Errors
    /// The store's.
    pub fn put_product_since(&mut self, id: ProductId, since: Timestamp) -> Result<(), StoreError> {
        self.view.sql.execute("UPDATE product SET since = $1 WHERE id = $2", params![since, id.0])?;
        Ok(())
    }

    /// Moves a product from one state to another; `false` when it is not in the first. Whether the step
    /// is allowed is the caller's to know.
    ///
    /// # Errors
    /// The store's.
    pub fn move_product(
        &mut self,
        id: ProductId,
        from: ProductState,
        to: ProductState,
        ended: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let moved = self.view.sql.execute(
            "UPDATE product SET state = $1, ended = $2 WHERE id = $3 AND state = $4",
            params![to.word(), ended, id.0, from.word()],
        )?;
        Ok(moved == 1)
    }
}

macro_rules! products {
    ($rest:literal) => {
        concat!(
            "SELECT id, customer, offering, state, hundredths, currency, period, since, ended FROM product ",
            $rest
        )
    };
}

impl PlatformView<'_> {
    /// Who holds the claim of a customer on an offering.
    ///
    /// # Errors
    /// The store's.
    pub fn find_claim(
        &mut self,
        customer: ContactKey,
        offering: &OfferingId,
    ) -> Result<Option<ClaimHolder>, StoreError> {
        let row = self.sql.query_one(
            "SELECT open_order, product FROM product_claim WHERE customer = $1 AND offering = $2",
            params![customer, offering.as_str()],
        )?;
        let Some(row) = row else { return Ok(None) };
        if row.opt_blob(1)?.is_some() {
            return Ok(Some(ClaimHolder::Product(ProductId(row.uuid(1)?))));
        }
        Ok(Some(ClaimHolder::Order(ProductOrderId(row.uuid(0)?))))
    }

    /// A product.
    ///
    /// # Errors
    /// The store's.
    pub fn find_product(&mut self, id: ProductId) -> Result<Option<ProductRow>, StoreError> {
        let row = self.sql.query_one(products!("WHERE id = $1"), params![id.0])?;
        row.map(|row| read_product(&row)).transpose()
    }

    /// What a customer has now, the oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn list_live_products(&mut self, customer: ContactKey) -> Result<Vec<ProductRow>, StoreError> {
        let rows = self.sql.query(products!("WHERE customer = $1 ORDER BY since, id"), params![customer])?;
        let mut products = rows.iter().map(read_product).collect::<Result<Vec<_>, _>>()?;
        products.retain(|product| product.state.is_live());
        Ok(products)
    }

    /// A page of the products that fit, the oldest first, with how many there are in all.
    ///
    /// # Errors
    /// The store's.
    pub fn list_products(
        &mut self,
        filter: &ProductFilter,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<ProductRow>, i64), StoreError> {
        let (states, shown) = (filter.states.as_deref().unwrap_or(ProductState::ALL), filter.shown);
        let states = between_commas(states.iter().map(|state| state.word()));
        // Slugs hold no comma, so a list between commas finds whole ids; `*` stands for no filter.
        let offerings = filter.offerings.as_deref();
        let offerings =
            offerings.map_or("*".to_owned(), |any| between_commas(any.iter().map(OfferingId::as_str)));
        let (rows, total) = match &filter.customers {
            Some(customers) => (
                self.sql.query(
                    products!(
                        "WHERE customer {in $1} AND $2 LIKE '%,' || state || ',%'
                         AND ($3 = '*' OR REPLACE($3, ',' || offering || ',', '') <> $3)
                         AND ($4 = 0 OR id NOT IN (SELECT id FROM withdrawn))
                         ORDER BY id LIMIT $5 OFFSET $6"
                    ),
                    params![customers.as_slice(), states.as_str(), offerings.as_str(), shown, limit, offset],
                )?,
                self.sql.query_one(
                    "SELECT COUNT(*) FROM product WHERE customer {in $1} AND $2 LIKE '%,' || state || ',%'
                     AND ($3 = '*' OR REPLACE($3, ',' || offering || ',', '') <> $3)
                     AND ($4 = 0 OR id NOT IN (SELECT id FROM withdrawn))",
                    params![customers.as_slice(), states.as_str(), offerings.as_str(), shown],
                )?,
            ),
            None => (
                self.sql.query(
                    products!(
                        "WHERE $1 LIKE '%,' || state || ',%'
                         AND ($2 = '*' OR REPLACE($2, ',' || offering || ',', '') <> $2)
                         AND ($3 = 0 OR id NOT IN (SELECT id FROM withdrawn))
                         ORDER BY id LIMIT $4 OFFSET $5"
                    ),
                    params![states.as_str(), offerings.as_str(), shown, limit, offset],
                )?,
                self.sql.query_one(
                    "SELECT COUNT(*) FROM product WHERE $1 LIKE '%,' || state || ',%'
                     AND ($2 = '*' OR REPLACE($2, ',' || offering || ',', '') <> $2)
                     AND ($3 = 0 OR id NOT IN (SELECT id FROM withdrawn))",
                    params![states.as_str(), offerings.as_str(), shown],
                )?,
            ),
        };
        let items = rows.iter().map(read_product).collect::<Result<_, _>>()?;
        Ok((items, total.map_or(Ok(0), |row| row.int(0))?))
    }
}

fn read_product(row: &Row) -> Result<ProductRow, StoreError> {
    Ok(ProductRow {
        id: ProductId(row.uuid(0)?),
        customer: row.key(1)?,
        offering: read_offering_id(row.text(2)?)?,
        state: ProductState::parse(row.text(3)?)
            .ok_or_else(|| StoreError::damaged("a product in no known state"))?,
        price: read_price(row, 4)?,
        since: row.time(7)?,
        ended: row.opt_time(8)?,
    })
}
