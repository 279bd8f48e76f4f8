//! Address books kept for their owners as blobs that are opaque here.

use domain::key::ContactKey;

use super::{ContactsTx, ContactsView};
use crate::error::StoreError;
use crate::sql::params;

impl ContactsTx<'_> {
    /// Keeps a blob in place of the one before.
    ///
    /// # Errors
    /// The store's.
    pub fn put_backup(&mut self, key: ContactKey, blob: &[u8]) -> Result<(), StoreError> {
        self.view.sql.execute(
            "INSERT INTO backup (key, blob, changed) VALUES ($1, $2, $3)
             ON CONFLICT (key) DO UPDATE SET blob = excluded.blob, changed = excluded.changed",
            params![key, blob, self.world.now()],
        )?;
        Ok(())
    }
}

impl ContactsView<'_> {
    /// The blob, byte for byte.
    ///
    /// # Errors
    /// The store's.
    pub fn find_backup(&mut self, key: ContactKey) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.sql.query_one("SELECT blob FROM backup WHERE key = $1", params![key])?;
        row.map(|row| row.blob(0).map(<[u8]>::to_vec)).transpose()
    }
}
