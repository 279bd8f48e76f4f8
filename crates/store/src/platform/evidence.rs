//! What proves how an order was confirmed, or not: the text that asked, what the centre made of it, the answers.
//!
//! It hangs on the order alone: whose that was, an erasure takes away.

use domain::ids::ProductOrderId;
use jiff::Timestamp;

use super::{PlatformTx, PlatformView};
use crate::error::StoreError;
use crate::keys::Purpose;
use crate::sql::{Row, params};

/// What a piece of evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceKind {
    /// The text that asked, as it was written.
    Asked,
    /// What the centre called each part of it.
    Accepted,
    /// The state in which it ended undelivered.
    Undeliverable,
    /// What the person answered.
    Replied,
}

impl EvidenceKind {
    /// The word outside and at rest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Accepted => "accepted",
            Self::Undeliverable => "undeliverable",
            Self::Replied => "replied",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let all = [Self::Asked, Self::Accepted, Self::Undeliverable, Self::Replied];
        all.into_iter().find(|kind| kind.word() == word)
    }
}

/// One piece of evidence.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// What was written, or said; sealed at rest.
    pub body: String,
    /// When it was written, or came.
    pub at: Timestamp,
}

fn owner(order: ProductOrderId, kind: EvidenceKind) -> Vec<u8> {
    [order.0.as_bytes(), kind.word().as_bytes()].concat()
}

impl PlatformTx<'_> {
    /// Keeps a piece of evidence about an order.
    ///
    /// # Errors
    /// The store's.
    pub fn put_evidence(&mut self, order: ProductOrderId, evidence: &Evidence) -> Result<(), StoreError> {
        let owner = owner(order, evidence.kind);
        let body = self.view.keys.seal(self.world, Purpose::Body, &owner, evidence.body.as_bytes());
        self.view.sql.execute(
            "INSERT INTO order_evidence (product_order, kind, body, at) VALUES ($1, $2, $3, $4)",
            params![order.0, evidence.kind.word(), body, evidence.at],
        )?;
        Ok(())
    }
}

impl PlatformView<'_> {
    /// The evidence about an order, in the order in which it came.
    ///
    /// # Errors
    /// The store's.
    pub fn list_evidence(&mut self, order: ProductOrderId) -> Result<Vec<Evidence>, StoreError> {
        let rows = self.sql.query(
            "SELECT kind, body, at FROM order_evidence WHERE product_order = $1 ORDER BY seq",
            params![order.0],
        )?;
        rows.iter().map(|row| self.read_evidence(order, row)).collect()
    }

    fn read_evidence(&self, order: ProductOrderId, row: &Row) -> Result<Evidence, StoreError> {
        let kind = EvidenceKind::parse(row.text(0)?);
        let kind = kind.ok_or_else(|| StoreError::damaged("evidence of no known kind"))?;
        let body = self.keys.open(Purpose::Body, &owner(order, kind), row.blob(1)?)?;
        let body = String::from_utf8(body).map_err(|_| StoreError::damaged("evidence that is not text"))?;
        Ok(Evidence { kind, body, at: row.time(2)? })
    }
}
