//! What a person may still add to their book: a row each, so that it holds across restarts and processes.

use domain::key::ContactKey;
use domain::quota::Quota;
use jiff::Timestamp;

use super::ContactsTx;
use crate::error::StoreError;
use crate::keys::Keys;
use crate::sql::params;

/// The quota goes on when the person has left, so it is kept under a hash that names nobody.
fn subject(keys: &Keys, owner: ContactKey) -> [u8; 32] {
    keys.hash("new numbers of", &[&owner.value().to_be_bytes()])
}

impl ContactsTx<'_> {
    /// Takes new numbers out of a person's quota; answers when there will be enough if there are not now,
    /// and takes nothing then.
    ///
    /// # Errors
    /// The store's.
    pub fn take_new_numbers(
        &mut self,
        owner: ContactKey,
        count: usize,
        quota: &Quota,
    ) -> Result<Option<Timestamp>, StoreError> {
        if count == 0 {
            return Ok(None);
        }
        let (subject, sql) = (subject(self.view.keys, owner), &mut self.view.sql);
        let row = sql.query_one(
            "SELECT full_at FROM new_number_quota WHERE subject = $1",
            params![subject.as_slice()],
        )?;
        let full_at = row.map(|row| row.time(0)).transpose()?;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        match quota.take(full_at, count, self.world.now()) {
            Err(until) => Ok(Some(until)),
            Ok(full_at) => {
                sql.execute(
                    "INSERT INTO new_number_quota (subject, full_at) VALUES ($1, $2)
                     ON CONFLICT (subject) DO UPDATE SET full_at = excluded.full_at",
                    params![subject.as_slice(), full_at],
                )?;
                Ok(None)
            }
        }
    }
}
