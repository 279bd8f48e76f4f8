//! The embedded backend: one SQLite file, one writer thread with group commit, a few readers.
//!
//! The writer takes what waits, up to a limit and whoever waits at a screen first, runs the closures one after the other
//! in one transaction, and makes them all durable with one fsync. Nobody is answered before that. Readers see
//! the last commit: matches and feeds in memory, all else each from its own connection (write-ahead log).

mod connection;
mod ledger;
mod queue;
mod resident;
mod writer;
mod written;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use domain::world::World;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use self::connection::SqliteSql;
use self::ledger::Mark;
use self::queue::{CLOSING, Queue};
use self::resident::Shared;
use self::written::Written;
use crate::backend::{Backend, BoxFuture, ReadUnit, Tools, WriteUnit, is_urgent};
use crate::error::{Kind, StoreError};
use crate::friends::{Differences, Memory};
use crate::keys::{Keys, MasterKey};
use crate::schema;
use crate::store::{OpenError, Signals, View};

/// Readers: more than the cores of a small machine, few enough that their caches stay warm.
const READERS: usize = 4;

pub(crate) struct Embedded {
    writes: Queue,
    readers: Arc<Readers>,
    /// `None` for one who only looks: who else writes does not say what.
    memory: Option<Arc<Shared>>,
    pub(crate) tools: Tools,
    // Held for as long as the store is open; another process fails to lock it. One who only looks needs none.
    _lock: Option<File>,
}

struct Readers {
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Lets reads in hand end and closes the connections: only the last one that closes folds the log in.
    async fn close(&self) {
        let all = self.permits.acquire_many(READERS as u32).await;
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        drop(all);
    }
}

/// A reader in use; it goes back also when the closure panics.
struct Borrowed {
    readers: Arc<Readers>,
    connection: Option<Connection>,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.connection.take());
    }
}

impl Embedded {
    /// The database file in a data directory.
    pub(crate) fn file(directory: &Path) -> PathBuf {
        directory.join("hutong.sqlite")
    }

    pub(crate) fn open(
        directory: &Path,
        master: &MasterKey,
        world: World,
        signals: Signals,
    ) -> Result<Self, OpenError> {
        let lock = lock(directory)?;
        let file = Self::file(directory);
        refuse_wrong_keys(&file, master, &world)?;
        let mut connection = connection::open_writer(&file)?;
        let (written, keys) = migrate(&mut connection, Mark::open(directory)?, master, &world)?;
        clear_away(&connection, &written, &keys)?;
        let memory = start_memory(&connection, &file, &written, &world)?;
        let tools = Tools { keys, world };
        let readers = (0..READERS).map(|_| connection::open_reader(&file)).collect::<Result<_, _>>()?;
        let writes = writer::spawn(connection, written, tools.clone(), signals)?;
        let readers = Readers { idle: Mutex::new(readers), permits: Arc::new(Semaphore::new(READERS)) };
        Ok(Self { writes, readers: Arc::new(readers), memory: Some(memory), tools, _lock: Some(lock) })
    }

    /// Opens what is there for reading alone, beside a running server or without one.
    pub(crate) fn look(directory: &Path, master: &MasterKey, world: World) -> Result<Self, OpenError> {
        let file = Self::file(directory);
        if !file.exists() {
            return Err(OpenError::NotBegun);
        }
        let connection = connection::open_reader(&file)?;
        let found: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(connection::error)?;
        schema::same_version(found)?;
        let keys = schema::known_keys(&mut SqliteSql::new(&connection), master, &world)?;
        let tools = Tools { keys, world };
        let writes = Queue::closed();
        let mut idle = vec![connection];
        for _ in 1..READERS {
            idle.push(connection::open_reader(&file)?);
        }
        let readers = Readers { idle: Mutex::new(idle), permits: Arc::new(Semaphore::new(READERS)) };
        Ok(Self { writes, readers: Arc::new(readers), memory: None, tools, _lock: None })
    }
}

fn lock(directory: &Path) -> Result<File, OpenError> {
    let io = |error| StoreError::new(Kind::Unavailable, error);
    // Sealed or not, what is in there is nobody else's business.
    std::os::unix::fs::DirBuilderExt::mode(std::fs::DirBuilder::new().recursive(true), 0o700)
        .create(directory)
        .map_err(io)?;
    let file = File::create(directory.join("lock")).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::InUse),
        Err(std::fs::TryLockError::Error(error)) => Err(io(error).into()),
    }
}

/// Without the right key file nothing of the data is touched, not even to fold the log in.
fn refuse_wrong_keys(file: &Path, master: &MasterKey, world: &World) -> Result<(), OpenError> {
    if !file.exists() {
        return Ok(());
    }
    let look = || -> Result<(), OpenError> {
        let connection = connection::open_untouched(file)?;
        schema::known_keys(&mut SqliteSql::new(&connection), master, world).map(drop)
    };
    match look() {
        Err(error @ (OpenError::KeyFile(_) | OpenError::WrongKeys(_))) => Err(error),
        // What else is wrong, opening it says better; a first start may have ended before there were keys.
        _ => Ok(()),
    }
}

fn migrate(
    connection: &mut Connection,
    mark: Mark,
    master: &MasterKey,
    world: &World,
) -> Result<(Written, Keys), OpenError> {
    let found: i64 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(connection::error)?;
    if found > schema::VERSION {
        return Err(OpenError::Newer { found, known: schema::VERSION });
    }
    if found == 0 {
        // Nothing is made anew in the place of what has been lost.
        mark.compare_with_nothing()?;
    }
    if found < schema::VERSION {
        let tx = connection.transaction().map_err(connection::error)?;
        for step in schema::STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
            for text in *step {
                tx.execute_batch(&connection::dialect(text)).map_err(connection::error)?;
            }
        }
        tx.pragma_update(None, "user_version", schema::VERSION).map_err(connection::error)?;
        ledger::begin(&tx)?;
        tx.commit().map_err(connection::error)?;
    }
    let written = Written::open(connection, mark)?;
    let tx = connection.transaction().map_err(connection::error)?;
    // The lock says that no other process works on a job: what a dead one held is free at once.
    tx.execute("UPDATE job SET leased_until = 0 WHERE leased_until <> 0", []).map_err(connection::error)?;
    // Under the wrong keys nothing of this stays.
    let keys = schema::keys_of(&mut SqliteSql::writing(&tx, &written), master, world)?;
    written.end(&tx)?;
    tx.commit().map_err(connection::error)?;
    written.committed();
    Ok((written, keys))
}

/// Ends a rotation that was broken off: nobody else is here. Where that fails the keys open the database all
/// the same, and the next start tries again.
fn clear_away(connection: &Connection, written: &Written, keys: &Keys) -> Result<(), OpenError> {
    if let Err(error) = keys.settle_rotation() {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the key file still holds the secret of a broken-off rotation");
    }
    if !schema::load_reign(&mut SqliteSql::new(connection))?.old_seal_stands {
        return Ok(());
    }
    if connection::fold(connection)? {
        let tx = connection.unchecked_transaction().map_err(connection::error)?;
        schema::forget_old_seal(&mut SqliteSql::writing(&tx, written))?;
        written.end(&tx)?;
        tx.commit().map_err(connection::error)?;
        written.committed();
    } else {
        tracing::warn!(
            "what the key file before the last rotation opens is not overwritten yet: something reads the database; run 'hutong keys rotate', or start the servers anew"
        );
    }
    Ok(())
}

/// Reads into memory what readers look at. Matches follow from the books: where the rows say otherwise they are
/// put right, and whoever runs this is told.
fn start_memory(
    connection: &Connection,
    file: &Path,
    written: &Written,
    world: &World,
) -> Result<Arc<Shared>, StoreError> {
    let memory = written.memory();
    let Differences { missing, extra } = memory.load(connection, connection::open_reader(file)?)?;
    if missing.is_empty() && extra.is_empty() {
        return Ok(memory);
    }
    tracing::error!(
        missing = missing.len(),
        extra = extra.len(),
        "the matches were not those of the books; they are put right"
    );
    let tx = connection.unchecked_transaction().map_err(connection::error)?;
    crate::contacts::mend_matches(&mut SqliteSql::writing(&tx, written), &missing, &extra, world.now())?;
    written.end(&tx)?;
    tx.commit().map_err(connection::error)?;
    written.committed();
    Ok(memory)
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.writes.end();
    }
}

impl Backend for Embedded {
    fn write(&self, unit: Box<dyn WriteUnit>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.writes.push(unit, is_urgent());
        })
    }

    fn read(&self, mut unit: Box<dyn ReadUnit>) -> BoxFuture<'_, ()> {
        let (readers, keys) = (Arc::clone(&self.readers), self.tools.keys.clone());
        Box::pin(async move {
            // The permit goes with the work: a caller who leaves must not free a reader still in use.
            let Ok(permit) = Arc::clone(&readers.permits).acquire_owned().await else { return };
            // A lost task drops the unit, which its caller sees as a closing store.
            let _ = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                let connection = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let borrowed = Borrowed { readers, connection };
                let Some(connection) = &borrowed.connection else {
                    return unit.finish(Err(StoreError::new(Kind::Unavailable, "no reader is left")));
                };
                let done = connection::snapshot(connection, |sql| unit.run(&mut View::new(sql, &keys)));
                drop(borrowed);
                unit.finish(done);
            })
            .await;
        })
    }

    fn remember(&self, look: &mut dyn FnMut(&dyn Memory)) -> Result<bool, StoreError> {
        let Some(memory) = &self.memory else { return Ok(false) };
        if self.writes.is_closed() {
            return Err(StoreError::new(Kind::Unavailable, CLOSING));
        }
        memory.read(|resident| look(resident)).map(|()| true)
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn overwrite_old(&self) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            let (done, folded) = tokio::sync::oneshot::channel();
            let gone = || StoreError::new(Kind::Unavailable, CLOSING);
            self.writes.fold(done);
            folded.await.map_err(|_| gone())?
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let closed = self.writes.is_closed();
            if closed { Err(StoreError::new(Kind::Unavailable, "the writer has stopped")) } else { Ok(()) }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.readers.close().await;
            let (done, closed) = tokio::sync::oneshot::channel();
            self.writes.close(done);
            // Fails when it was closed before.
            let _ = closed.await;
        })
    }
}
