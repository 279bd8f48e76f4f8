//! Address books kept for their owners as blobs that are opaque here.

use domain::key::ContactKey;

use super::{ContactsTx, ContactsView};
use crate::error::StoreError;
use crate::sql::params;

impl ContactsTx<'_> {
    /// Keeps a blob in place of the one before; answers its version.
    ///
    /// # Errors
    /// The store's.
    pub fn put_backup(&mut self, key: ContactKey, blob: &[u8]) -> Result<i64, StoreError> {
        let kept = self.view.sql.query_one(
            "INSERT INTO backup (key, version, blob, changed) VALUES ($1, 1, $2, $3)
             ON CONFLICT (key) DO UPDATE SET
               version = backup.version + 1, blob = excluded.blob, changed = excluded.changed
             RETURNING version",
            params![key, blob, self.world.now()],
        )?;
        kept.map_or_else(|| Err(StoreError::damaged("a backup that was not kept")), |row| row.int(0))
    }
}

impl ContactsView<'_> {
    /// The version of the blob; 0 when there is none.
    ///
    /// # Errors
    /// The store's.
    pub fn backup_version(&mut self, key: ContactKey) -> Result<i64, StoreError> {
        let row = self.sql.query_one("SELECT version FROM backup WHERE key = $1", params![key])?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    /// The version and the blob, byte for byte.
    ///
    /// # Errors
    /// The store's.
    pub fn find_backup(&mut self, key: ContactKey) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
        let row = self.sql.query_one("SELECT version, blob FROM backup WHERE key = $1", params![key])?;
        row.map(|row| Ok((row.int(0)?, row.blob(1)?.to_vec()))).transpose()
    }
}
