//! First answers, kept to be repeated.

use domain::key::ContactKey;
use domain::limits;
use domain::world::after_seconds;
use jiff::Timestamp;

use super::{ExchangeTx, ExchangeView};
use crate::error::StoreError;
use crate::sql::params;

/// What is known of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstAnswer {
    /// The key is new.
    New,
    /// The same request was answered so.
    Same(String),
    /// The key was used with another body.
    OtherBody,
}

impl ExchangeView<'_> {
    fn hashes(&self, key: &str, body: &[u8]) -> ([u8; 32], [u8; 32]) {
        let keys = self.keys;
        (keys.hash("idempotency key", &[key.as_bytes()]), keys.hash("idempotent body", &[body]))
    }

    /// Looks an idempotency key up.
    ///
    /// # Errors
    /// The store's.
    pub fn find_first_answer(
        &mut self,
        owner: ContactKey,
        key: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<FirstAnswer, StoreError> {
        let (key, hash) = self.hashes(key, body);
        let oldest = after_seconds(now, -limits::IDEMPOTENCY_KEEP_S);
        let row = self.sql.query_one(
            "SELECT body_hash, answer FROM idempotency WHERE owner = $1 AND key = $2 AND created > $3",
            params![owner, key.as_slice(), oldest],
        )?;
        let Some(row) = row else { return Ok(FirstAnswer::New) };
        if row.blob(0)? == hash {
            Ok(FirstAnswer::Same(row.text(1)?.to_owned()))
        } else {
            Ok(FirstAnswer::OtherBody)
        }
    }
}

impl ExchangeTx<'_> {
    /// Keeps the first answer to a key, in the same write as what it answers; lets those past their
    /// time go.
    ///
    /// # Errors
    /// The store's.
    pub fn keep_first_answer(
        &mut self,
        owner: ContactKey,
        key: &str,
        body: &[u8],
        answer: &str,
    ) -> Result<(), StoreError> {
        let (key, hash) = self.view.hashes(key, body);
        let now = self.world.now();
        let oldest = after_seconds(now, -limits::IDEMPOTENCY_KEEP_S);
        self.view
            .sql
            .execute("DELETE FROM idempotency WHERE owner = $1 AND created <= $2", params![owner, oldest])?;
        self.view.sql.execute(
            "INSERT INTO idempotency (owner, key, body_hash, answer, created) VALUES ($1, $2, $3, $4, $5)",
            params![owner, key.as_slice(), hash.as_slice(), answer, now],
        )?;
        Ok(())
    }
}
