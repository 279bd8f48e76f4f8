//! The catalogue as the cards show it.

use domain::catalogue::{Offering, OfferingId, Provider};
use serde::{Deserialize, Serialize};

use super::{ExchangeTx, ExchangeView};
use crate::error::{Kind, StoreError};
use crate::sql::params;

/// An offering and its provider: all that a card shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The offering.
    pub offering: Offering,
    /// Its provider.
    pub provider: Provider,
}

impl Card {
    pub(crate) fn read(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text).map_err(|error| StoreError::new(Kind::Damaged, error))
    }
}

impl ExchangeTx<'_> {
    /// Writes a card as the platform has it now. Where a service becomes one that is never shown, what
    /// was shared of it is so no longer, also should it become another again.
    ///
    /// # Errors
    /// The store's.
    pub fn put_card(&mut self, card: &Card) -> Result<(), StoreError> {
        let could_be_shown = self.is_shown(&card.offering.id)?;
        let body = serde_json::to_string(card).map_err(|error| StoreError::new(Kind::Internal, error))?;
        let Offering { id, version, sensitive, .. } = &card.offering;
        self.view.sql.execute(
            "INSERT INTO card (offering, version, body, sensitive) VALUES ($1, $2, $3, $4)
             ON CONFLICT (offering) DO UPDATE SET version = excluded.version, body = excluded.body,
               sensitive = excluded.sensitive
             WHERE excluded.version >= card.version",
            params![id.as_str(), *version, body, *sensitive],
        )?;
        if could_be_shown && !self.is_shown(&card.offering.id)? {
            for sql in [
                "DELETE FROM share_audience WHERE share IN (
                   SELECT s.no FROM share s JOIN subscription u ON u.id = s.subscription WHERE u.offering = $1)",
                "DELETE FROM share_seen WHERE share IN (
                   SELECT s.no FROM share s JOIN subscription u ON u.id = s.subscription WHERE u.offering = $1)",
                "DELETE FROM share WHERE subscription IN (SELECT id FROM subscription WHERE offering = $1)",
            ] {
                self.view.sql.execute(sql, params![card.offering.id.as_str()])?;
            }
        }
        Ok(())
    }

    fn is_shown(&mut self, offering: &OfferingId) -> Result<bool, StoreError> {
        let row = self.view.sql.query_one(
            "SELECT 1 FROM card WHERE offering = $1 AND sensitive = 0",
            params![offering.as_str()],
        )?;
        Ok(row.is_some())
    }
}

impl ExchangeView<'_> {
    /// The card of an offering, once it has been heard of.
    ///
    /// # Errors
    /// The store's.
    pub fn find_card(&mut self, offering: &OfferingId) -> Result<Option<Card>, StoreError> {
        let row =
            self.sql.query_one("SELECT body FROM card WHERE offering = $1", params![offering.as_str()])?;
        row.map(|row| Card::read(row.text(0)?)).transpose()
    }
}
