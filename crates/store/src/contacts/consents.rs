//! Consents, each given and taken back by itself.

use domain::Msisdn;
use domain::consent::Consent;
use domain::key::ContactKey;
use jiff::Timestamp;

use super::{ContactsTx, ContactsView};
use crate::error::StoreError;
use crate::people::open_number;
use crate::sql::{Row, params};

/// A consent in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenConsent {
    /// Which.
    pub consent: Consent,
    /// The version of the text that was shown.
    pub version: String,
    /// When it was given.
    pub given: Timestamp,
}

impl ContactsTx<'_> {
    /// Writes a consent down; the same version given again changes nothing.
    ///
    /// # Errors
    /// The store's.
    pub fn give_consent(
        &mut self,
        key: ContactKey,
        consent: Consent,
        version: &str,
    ) -> Result<(), StoreError> {
        self.view.sql.execute(
            "INSERT INTO consent (key, consent, version, given) VALUES ($1, $2, $3, $4)
             ON CONFLICT (key, consent) DO UPDATE SET version = excluded.version, given = excluded.given
             WHERE consent.version <> excluded.version",
            params![key, consent.word(), version, self.world.now()],
        )?;
        Ok(())
    }

    /// Takes a consent back; what rests on it is the caller's to remove in the same write.
    ///
    /// # Errors
    /// The store's.
    pub fn take_back_consent(&mut self, key: ContactKey, consent: Consent) -> Result<(), StoreError> {
        self.view
            .sql
            .execute("DELETE FROM consent WHERE key = $1 AND consent = $2", params![key, consent.word()])?;
        Ok(())
    }
}

impl ContactsView<'_> {
    /// Whether a consent is in force.
    ///
    /// # Errors
    /// The store's.
    pub fn has_consent(&mut self, key: ContactKey, consent: Consent) -> Result<bool, StoreError> {
        let row = self.sql.query_one(
            "SELECT 1 FROM consent WHERE key = $1 AND consent = $2",
            params![key, consent.word()],
        )?;
        Ok(row.is_some())
    }

    /// A page of everybody's consents in force, each with whose it is, and how many there are in all.
    ///
    /// # Errors
    /// The store's.
    pub fn list_given(
        &mut self,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<(Msisdn, GivenConsent)>, i64), StoreError> {
        let rows = self.sql.query(
            "SELECT c.consent, c.version, c.given, s.key, s.number FROM consent c JOIN subscriber s ON s.key = c.key
             ORDER BY c.key, c.consent LIMIT $1 OFFSET $2",
            params![limit, offset],
        )?;
        let total =
            self.sql.query_one("SELECT COUNT(*) FROM consent c JOIN subscriber s ON s.key = c.key", &[])?;
        let mut given = Vec::new();
        for row in &rows {
            given.push((open_number(self.keys, row.key(3)?, row.blob(4)?)?, read_given(row)?));
        }
        Ok((given, total.map_or(Ok(0), |row| row.int(0))?))
    }

    /// The consents in force.
    ///
    /// # Errors
    /// The store's.
    pub fn list_consents(&mut self, key: ContactKey) -> Result<Vec<GivenConsent>, StoreError> {
        let rows = self.sql.query(
            "SELECT consent, version, given FROM consent WHERE key = $1 ORDER BY consent",
            params![key],
        )?;
        rows.iter().map(read_given).collect()
    }
}

fn read_given(row: &Row) -> Result<GivenConsent, StoreError> {
    Ok(GivenConsent {
        consent: Consent::parse(row.text(0)?).ok_or_else(|| StoreError::damaged("an unknown consent"))?,
        version: row.text(1)?.to_owned(),
        given: row.time(2)?,
    })
}
