//! Confirmations: which code waits for which phone's answer, and until when.

use domain::confirmation::ConfirmationCode;
use domain::ids::{ProductOrderId, TextId};
use domain::key::ContactKey;
use jiff::Timestamp;

use super::{PlatformTx, PlatformView};
use crate::error::StoreError;
use crate::keys::Purpose;
use crate::sql::{Row, params};

/// What became of a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmationOutcome {
    /// Waits for its answer.
    Open,
    /// The right answer came.
    Confirmed,
    /// It ended without.
    Ended,
}

impl ConfirmationOutcome {
    fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirmed => "confirmed",
            Self::Ended => "ended",
        }
    }

    fn parse(word: &str) -> Result<Self, StoreError> {
        let found =
            [Self::Open, Self::Confirmed, Self::Ended].into_iter().find(|outcome| outcome.word() == word);
        found.ok_or_else(|| StoreError::damaged("a confirmation of no known outcome"))
    }
}

/// A code that waits, or waited, for its answer.
#[derive(Debug, Clone)]
pub struct ConfirmationRow {
    /// Which order it is for.
    pub order: ProductOrderId,
    /// Whose answer counts.
    pub customer: ContactKey,
    /// The four digits; sealed at rest.
    pub code: ConfirmationCode,
    /// Digits appended to the sender's address.
    pub suffix: String,
    /// The text that carries the code.
    pub text: TextId,
    /// When it was written.
    pub written: Timestamp,
    /// The centre must have taken the text by then.
    pub accept_by: Timestamp,
    /// When the centre took it.
    pub accepted: Option<Timestamp>,
    /// An answer counts until then.
    pub deadline: Timestamp,
    /// Wrong answers so far.
    pub attempts: i64,
    /// Whether a bare yes was answered.
    pub asked: bool,
    /// What became of it.
    pub outcome: ConfirmationOutcome,
    /// When it ended.
    pub closed: Option<Timestamp>,
}

impl PlatformTx<'_> {
    /// Writes a new, open confirmation.
    ///
    /// # Errors
    /// The store's.
    pub fn insert_confirmation(&mut self, row: &ConfirmationRow) -> Result<(), StoreError> {
        let code = row.code.expose().as_bytes();
        let code = self.view.keys.seal(self.world, Purpose::Code, row.order.0.as_bytes(), code);
        self.view.sql.execute(
            "INSERT INTO confirmation (product_order, customer, code, suffix, text, written, accept_by, accepted,
               deadline, attempts, asked, outcome, closed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, $8, 0, 0, 'open', NULL)",
            params![
                row.order.0,
                row.customer,
                code,
                row.suffix.as_str(),
                row.text.0,
                row.written,
                row.accept_by,
                row.deadline,
            ],
        )?;
        Ok(())
    }

    /// Notes that the centre took the text, and until when an answer counts now; the first time stays.
    ///
    /// # Errors
    /// The store's.
    pub fn accept_confirmation(
        &mut self,
        order: ProductOrderId,
        accepted: Timestamp,
        deadline: Timestamp,
    ) -> Result<bool, StoreError> {
        let noted = self.view.sql.execute(
            "UPDATE confirmation SET accepted = $1, deadline = $2
             WHERE product_order = $3 AND outcome = 'open' AND accepted IS NULL",
            params![accepted, deadline, order.0],
        )?;
        Ok(noted == 1)
    }

    /// Counts a wrong answer.
    ///
    /// # Errors
    /// The store's.
    pub fn count_attempt(&mut self, order: ProductOrderId) -> Result<(), StoreError> {
        self.view.sql.execute(
            "UPDATE confirmation SET attempts = attempts + 1 WHERE product_order = $1",
            params![order.0],
        )?;
        Ok(())
    }

    /// Notes that a bare yes was answered; `false` when it had been before.
    ///
    /// # Errors
    /// The store's.
    pub fn mark_asked(&mut self, order: ProductOrderId) -> Result<bool, StoreError> {
        let marked = self.view.sql.execute(
            "UPDATE confirmation SET asked = 1 WHERE product_order = $1 AND asked = 0",
            params![order.0],
        )?;
        Ok(marked == 1)
    }

    /// Ends an open confirmation; its code is void from here on.
    ///
    /// # Errors
    /// The store's.
    pub fn close_confirmation(
        &mut self,
        order: ProductOrderId,
        outcome: ConfirmationOutcome,
    ) -> Result<bool, StoreError> {
        let now = self.world.now();
        let closed = self.view.sql.execute(
            "UPDATE confirmation SET outcome = $1, closed = $2 WHERE product_order = $3 AND outcome = 'open'",
            params![outcome.word(), now, order.0],
        )?;
        Ok(closed == 1)
    }
}

macro_rules! confirmations {
    ($rest:literal) => {
        concat!(
            "SELECT product_order, customer, code, suffix, text, written, accept_by, accepted, deadline, attempts,
               asked, outcome, closed FROM confirmation ",
            $rest
        )
    };
}

impl PlatformView<'_> {
    /// The confirmation of an order.
    ///
    /// # Errors
    /// The store's.
    pub fn find_confirmation(
        &mut self,
        order: ProductOrderId,
    ) -> Result<Option<ConfirmationRow>, StoreError> {
        let row = self.sql.query_one(confirmations!("WHERE product_order = $1"), params![order.0])?;
        row.map(|row| self.read_confirmation(&row)).transpose()
    }

    /// A customer's confirmations that are open or ended after a moment, the oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn list_confirmations(
        &mut self,
        customer: ContactKey,
        closed_after: Timestamp,
    ) -> Result<Vec<ConfirmationRow>, StoreError> {
        let rows = self.sql.query(
            confirmations!(
                "WHERE customer = $1 AND (closed IS NULL OR closed > $2) ORDER BY written, product_order"
            ),
            params![customer, closed_after],
        )?;
        rows.iter().map(|row| self.read_confirmation(row)).collect()
    }

    fn read_confirmation(&self, row: &Row) -> Result<ConfirmationRow, StoreError> {
        let order = row.uuid(0)?;
        let code = self.keys.open(Purpose::Code, order.as_bytes(), row.blob(2)?)?;
        let code = std::str::from_utf8(&code).ok().and_then(ConfirmationCode::parse);
        Ok(ConfirmationRow {
            order: ProductOrderId(order),
            customer: row.key(1)?,
            code: code.ok_or_else(|| StoreError::damaged("a code that is not four digits"))?,
            suffix: row.text(3)?.to_owned(),
            text: TextId(row.uuid(4)?),
            written: row.time(5)?,
            accept_by: row.time(6)?,
            accepted: row.opt_time(7)?,
            deadline: row.time(8)?,
            attempts: row.int(9)?,
            asked: row.bool(10)?,
            outcome: ConfirmationOutcome::parse(row.text(11)?)?,
            closed: row.opt_time(12)?,
        })
    }
}
