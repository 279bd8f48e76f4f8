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
    pub(super) fn read(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text).map_err(|error| StoreError::new(Kind::Damaged, error))
    }
}

impl ExchangeTx<'_> {
    /// Writes a card as the platform has it now.
    ///
    /// # Errors
    /// The store's.
    pub fn put_card(&mut self, card: &Card) -> Result<(), StoreError> {
        let body = serde_json::to_string(card).map_err(|error| StoreError::new(Kind::Internal, error))?;
        let Offering { id, version, sensitive, .. } = &card.offering;
        self.view.sql.execute(
            "INSERT INTO card (offering, version, body, sensitive) VALUES ($1, $2, $3, $4)
             ON CONFLICT (offering) DO UPDATE SET version = excluded.version, body = excluded.body,
               sensitive = excluded.sensitive
             WHERE excluded.version >= card.version",
            params![id.as_str(), *version, body, *sensitive],
        )?;
        Ok(())
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
