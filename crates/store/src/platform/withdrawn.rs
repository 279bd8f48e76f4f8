//! What was deleted at the platform's faces: shown there no more, and kept as evidence.

use uuid::Uuid;

use super::{PlatformTx, PlatformView};
use crate::error::StoreError;
use crate::sql::params;

impl PlatformTx<'_> {
    /// Shows an order or a product at the faces no more; `false` when it was withdrawn before.
    ///
    /// # Errors
    /// The store's.
    pub fn withdraw(&mut self, id: Uuid) -> Result<bool, StoreError> {
        let now = self.world.now();
        let written = self.view.sql.execute(
            "INSERT INTO withdrawn (id, at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
            params![id, now],
        )?;
        Ok(written == 1)
    }
}

impl PlatformView<'_> {
    /// Whether an order or a product is shown at the faces no more.
    ///
    /// # Errors
    /// The store's.
    pub fn is_withdrawn(&mut self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.sql.query_one("SELECT 1 FROM withdrawn WHERE id = $1", params![id])?.is_some())
    }
}
