//! Calls to providers: written with what causes them, made until they are answered.

use domain::catalogue::ProviderId;
use domain::ids::{ProductId, ProductOrderId};
use domain::key::ContactKey;
use domain::provisioning::{ProvisioningAction, ProvisioningCall};
use jiff::Timestamp;
use uuid::Uuid;

use super::catalogue::read_offering_id;
use super::{PlatformTx, PlatformView, ProductRow};
use crate::error::StoreError;
use crate::people::open_number;
use crate::sql::{Row, params};

/// A call that is to be made.
#[derive(Debug, Clone)]
pub struct NewProvisioning<'a> {
    /// The idempotency key.
    pub key: String,
    /// Whom to call.
    pub provider: &'a ProviderId,
    /// What to do.
    pub action: ProvisioningAction,
    /// With which subscription.
    pub product: &'a ProductRow,
    /// The order behind it.
    pub order: Option<ProductOrderId>,
    /// The key of the start that a stop undoes.
    pub reverses: Option<String>,
    /// Not to be made before.
    pub due: Timestamp,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProvisioningOutcome {
    /// To be made, or made again.
    Open,
    /// The provider has done it.
    Done,
    /// The provider will not do it.
    Refused,
    /// Nobody wants it any more.
    Dropped,
}

impl ProvisioningOutcome {
    fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Dropped => "dropped",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Done, Self::Refused, Self::Dropped].into_iter().find(|one| one.word() == word)
    }
}

/// A call and how far it has come.
#[derive(Debug, Clone)]
pub struct ProvisioningRow {
    /// Whose subscription it is about.
    pub customer: ContactKey,
    /// Whom to call.
    pub provider: ProviderId,
    /// What is said.
    pub call: ProvisioningCall,
    /// How often it was made without an answer that counts.
    pub tries: i64,
    /// What became of it.
    pub outcome: ProvisioningOutcome,
}

impl PlatformTx<'_> {
    /// Writes a call; `false`, and nothing, when this product has one for this action already.
    ///
    /// # Errors
    /// The store's.
    pub fn insert_provisioning(&mut self, call: &NewProvisioning<'_>) -> Result<bool, StoreError> {
        let now = self.world.now();
        let written = self.view.sql.execute(
            "INSERT INTO provisioning (key, provider, action, product, customer, offering, product_order, reverses,
               at, due, tries, outcome)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 'open')
             ON CONFLICT (product, action) DO NOTHING",
            params![
                call.key.as_str(),
                call.provider.as_str(),
                call.action.word(),
                call.product.id.0,
                call.product.customer,
                call.product.offering.as_str(),
                call.order.map(|order| order.0),
                call.reverses.as_deref(),
                now,
                call.due,
            ],
        )?;
        Ok(written == 1)
    }

    /// Ends an open call; `false` when it had ended before.
    ///
    /// # Errors
    /// The store's.
    pub fn settle_provisioning(
        &mut self,
        key: &str,
        outcome: ProvisioningOutcome,
    ) -> Result<bool, StoreError> {
        let settled = self.view.sql.execute(
            "UPDATE provisioning SET outcome = $1 WHERE key = $2 AND outcome = 'open'",
            params![outcome.word(), key],
        )?;
        Ok(settled == 1)
    }

    /// Notes that an open call got no answer that counts, and when it is made again; `false` when it had
    /// ended before.
    ///
    /// # Errors
    /// The store's.
    pub fn postpone_provisioning(&mut self, key: &str, due: Timestamp) -> Result<bool, StoreError> {
        let postponed = self.view.sql.execute(
            "UPDATE provisioning SET tries = tries + 1, due = $1 WHERE key = $2 AND outcome = 'open'",
            params![due, key],
        )?;
        Ok(postponed == 1)
    }
}

/// Calls with the numbers of those they are about, who may have left meanwhile.
macro_rules! calls {
    ($rest:literal) => {
        concat!(
            "SELECT p.key, p.customer, COALESCE(c.number, f.number), p.provider, p.action, p.product, p.offering,
               p.product_order, p.at, p.reverses, p.tries, p.outcome
             FROM provisioning p LEFT JOIN customer c ON c.key = p.customer
             LEFT JOIN former_customer f ON f.key = p.customer
             WHERE COALESCE(c.number, f.number) IS NOT NULL AND ",
            $rest
        )
    };
}

impl PlatformView<'_> {
    /// The call about a product.
    ///
    /// # Errors
    /// The store's.
    pub fn find_provisioning(
        &mut self,
        product: ProductId,
        action: ProvisioningAction,
    ) -> Result<Option<ProvisioningRow>, StoreError> {
        let row = self
            .sql
            .query_one(calls!("p.product = $1 AND p.action = $2"), params![product.0, action.word()])?;
        row.map(|row| self.read_provisioning(&row)).transpose()
    }

    /// What a provider is to be told now, the oldest first. What concerns one person and service stays in
    /// order: a later call waits for the end of the earlier one.
    ///
    /// # Errors
    /// The store's.
    pub fn list_provisioning_due(
        &mut self,
        provider: &ProviderId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ProvisioningRow>, StoreError> {
        let rows = self.sql.query(
            calls!(
                "p.provider = $1 AND p.outcome = 'open' AND p.due <= $2
                 AND NOT EXISTS (SELECT 1 FROM provisioning e WHERE e.customer = p.customer
                   AND e.offering = p.offering AND e.outcome = 'open' AND e.seq < p.seq)
                 ORDER BY p.due, p.seq LIMIT $3"
            ),
            params![provider.as_str(), now, limit],
        )?;
        rows.iter().map(|row| self.read_provisioning(row)).collect()
    }

    /// When a provider is to be called next; `None` when there is nothing to tell it.
    ///
    /// # Errors
    /// The store's.
    pub fn next_provisioning(&mut self, provider: &ProviderId) -> Result<Option<Timestamp>, StoreError> {
        let row = self.sql.query_one(
            "SELECT MIN(p.due) FROM provisioning p LEFT JOIN customer c ON c.key = p.customer
             LEFT JOIN former_customer f ON f.key = p.customer
             WHERE COALESCE(c.number, f.number) IS NOT NULL AND p.provider = $1 AND p.outcome = 'open'
               AND NOT EXISTS (SELECT 1 FROM provisioning e WHERE e.customer = p.customer
                 AND e.offering = p.offering AND e.outcome = 'open' AND e.seq < p.seq)",
            params![provider.as_str()],
        )?;
        row.map_or(Ok(None), |row| row.opt_time(0))
    }

    /// The providers that are to be told something.
    ///
    /// # Errors
    /// The store's.
    pub fn list_waiting_providers(&mut self) -> Result<Vec<ProviderId>, StoreError> {
        let rows = self.sql.query(
            "SELECT DISTINCT provider FROM provisioning WHERE outcome = 'open' ORDER BY provider",
            &[],
        )?;
        rows.iter().map(|row| read_provider_id(row.text(0)?)).collect()
    }

    fn read_provisioning(&self, row: &Row) -> Result<ProvisioningRow, StoreError> {
        let customer = row.key(1)?;
        let damaged = |what| StoreError::damaged(what);
        let order = row.opt_blob(7)?.map(Uuid::from_slice).transpose();
        Ok(ProvisioningRow {
            customer,
            provider: read_provider_id(row.text(3)?)?,
            call: ProvisioningCall {
                key: row.text(0)?.to_owned(),
                action: ProvisioningAction::parse(row.text(4)?)
                    .ok_or_else(|| damaged("a call to a provider to do nothing known"))?,
                number: open_number(self.keys, customer, row.blob(2)?)?,
                product: ProductId(row.uuid(5)?),
                offering: read_offering_id(row.text(6)?)?,
                order: order
                    .map_err(|_| damaged("a call to a provider for an order that is no id"))?
                    .map(ProductOrderId),
                at: row.time(8)?,
                reverses: row.opt_text(9)?.map(str::to_owned),
            },
            tries: row.int(10)?,
            outcome: ProvisioningOutcome::parse(row.text(11)?)
                .ok_or_else(|| damaged("a call to a provider with no known outcome"))?,
        })
    }
}

fn read_provider_id(text: &str) -> Result<ProviderId, StoreError> {
    ProviderId::parse(text).map_err(|_| StoreError::damaged("a provider id of the wrong form"))
}
