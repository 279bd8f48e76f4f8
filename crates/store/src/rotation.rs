//! Exchanging the master key while everything goes on, and what lies between its steps.
//!
//! The key file takes the new secret beside the present one; the database takes the seed sealed under the new
//! one; the file drops the old one; and the seed as the old one sealed it is overwritten in the database's
//! files, so that the old key file opens nothing of what lies there from then on. Whenever the process dies,
//! the key file opens the database, and the next start, or the next rotation, does what was left to do.

use std::time::Duration;

use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::backend::Tools;
use crate::error::StoreError;
use crate::failpoints::{self, Point};
use crate::keys::KeyFileError;
use crate::schema::{self, Reign};
use crate::store::{Store, Tx};

/// Why the master key was not exchanged.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The database.
    #[error("the exchange of the master key was broken off; the key file opens the database either way")]
    Store(#[from] StoreError),
    /// Another process does so right now.
    #[error("another process is exchanging the master key right now: try again when it has done so")]
    Busy,
    /// Another process exchanged it at the same moment.
    #[error(
        "another process has exchanged the master key: copy its key file here before this process starts again"
    )]
    Meanwhile,
    /// It was exchanged, and what the old one opens could not be overwritten.
    #[error(
        "the master key is exchanged, but what the old key file opens still lies in the database's files, because something has been reading them all the while: end long reads such as backups, then run this again, or start the servers anew"
    )]
    Unfinished,
}

/// Tries to overwrite the seed as the old master key sealed it, and the pause between two: together far below
/// the time that a request may take.
const OVERWRITE_TRIES: u32 = 30;
const LOCK_TRIES: u32 = 8;
const OVERWRITE_PAUSE: Duration = Duration::from_millis(250);

impl Store {
    /// Exchanges the master key while everything goes on: a new secret is written into the key file beside
    /// the present one, the database takes the seed sealed under it, and the old secret is dropped. Whenever the
    /// process dies, the key file opens the database. What is stored stays as it is.
    ///
    /// # Errors
    /// [`RotateError`] says what stands.
    pub async fn rotate_master_key(&self, actor: Actor) -> Result<(), RotateError> {
        let _alone = self.rotating.lock().await;
        let Tools { keys, world } = self.tools.clone();
        let _lock = self.lock_rotation().await?;
        let before = self.read::<_, StoreError, _>(|view| schema::load_seed(view.sql())).await?;
        // A user of the database who may not replace the seed learns so before the key file holds another secret.
        let nothing = |tx: &mut Tx<'_>| schema::replace_seed(tx.sql, &[], &[], tx.tools.world.now());
        self.write::<_, StoreError, _>(nothing).await?;
        failpoints::pass(Point::RotationBegun).await?;
        let after = keys.prepare_rotation(&world, &before)?.ok_or(RotateError::Meanwhile)?;
        failpoints::pass(Point::KeyFileHoldsBoth).await?;
        let write = move |tx: &mut Tx<'_>| {
            let replaced = schema::replace_seed(tx.sql, &before, &after, tx.tools.world.now())?;
            if replaced {
                tx.audit().append(&AuditEntry::new(actor.clone(), AuditAction::KeysRotated))?;
            }
            Ok(replaced)
        };
        // After an error it may have been committed all the same: both secrets stay in the file until the next
        // rotation or start.
        if !self.write::<_, StoreError, _>(write).await? {
            return Err(RotateError::Meanwhile);
        }
        failpoints::pass(Point::SealReplaced).await?;
        keys.settle_rotation()?;
        failpoints::pass(Point::KeyFileSettled).await?;
        self.overwrite_old_seal().await
    }

    /// Waits a little for another process: one that starts looks whether a rotation was broken off.
    async fn lock_rotation(&self) -> Result<std::fs::File, RotateError> {
        for _ in 0..LOCK_TRIES {
            if let Some(lock) = self.tools.keys.lock_rotation()? {
                return Ok(lock);
            }
            tokio::time::sleep(OVERWRITE_PAUSE).await;
        }
        Err(RotateError::Busy)
    }

    /// Leaves nothing of the seed as the old master key sealed it, in the files of the database as they are.
    async fn overwrite_old_seal(&self) -> Result<(), RotateError> {
        let mut tries = 0;
        while !self.backend.overwrite_old().await? {
            tries += 1;
            if tries == OVERWRITE_TRIES {
                return Err(RotateError::Unfinished);
            }
            tokio::time::sleep(OVERWRITE_PAUSE).await;
        }
        failpoints::pass(Point::OldSealOverwritten).await?;
        Ok(self.write::<_, StoreError, _>(|tx| schema::forget_old_seal(tx.sql)).await?)
    }

    /// Ends a rotation that was broken off, where several processes may work on one database. Where that
    /// fails the keys open the database all the same, and the next start tries again.
    pub(crate) async fn end_broken_off_rotation(&self) {
        let end = async {
            let reign = self.reign().await?;
            if !reign.old_seal_stands && !self.tools.keys.is_in_exchange() {
                return Ok(());
            }
            // Who holds the lock ends it: it is under way.
            let Some(_lock) = self.tools.keys.lock_rotation()? else { return Ok(()) };
            let seed = self.read::<_, StoreError, _>(|view| schema::load_seed(view.sql())).await?;
            if self.tools.keys.reread_rotation(&self.tools.world, &seed)? {
                self.tools.keys.settle_rotation()?;
            }
            if reign.old_seal_stands { self.overwrite_old_seal().await } else { Ok(()) }
        };
        if let Err(error) = end.await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "a rotation of the master key that was broken off could not be ended");
        }
    }

    /// Since when the master key is in force, and what its exchange has left to do.
    ///
    /// # Errors
    /// The store's.
    pub async fn reign(&self) -> Result<Reign, StoreError> {
        self.read(|view| schema::load_reign(view.sql())).await
    }
}
