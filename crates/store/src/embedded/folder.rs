//! Folds the write-ahead log into the file on a thread of its own: the writer would stand still for it.
//!
//! A fold takes what was committed before it began; while commits go on, the log is never folded whole and so never
//! begins anew. When it has grown long, the writer is asked to fold the little that is left between two commits.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::connection;
use crate::error::{Kind, StoreError};

/// Between two folds: what many commits change is then written once.
const PAUSE: Duration = Duration::from_millis(250);

/// Pages of 4 KiB in the log from which the writer helps: 32 MiB.
const LONG_PAGES: i64 = 8_000;

/// The thread, and what it shares with the writer.
pub(super) struct Folder {
    shared: Arc<Shared>,
    /// `None` once it is told to end.
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// Who folds holds it: SQLite lets nobody wait for another's fold.
    turn: Mutex<()>,
    long: AtomicBool,
}

impl Folder {
    /// Starts the thread over a database that the writer has open.
    pub(super) fn start(file: &Path) -> Result<Self, StoreError> {
        let own = connection::open_folder(file)?;
        let shared = Arc::<Shared>::default();
        let (wake, woken) = sync_channel(1);
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("store-folder".to_owned())
            .spawn(move || for_thread.fold_when_woken(&own, &woken))
            .map_err(|error| StoreError::new(Kind::Unavailable, error))?;
        Ok(Self { shared, wake: Some(wake), thread: Some(thread) })
    }

    /// After a commit of the writer: wakes the thread, and where the log has grown long folds what is left of it.
    pub(super) fn committed(&self, writer: &Connection) {
        // One that is woken already looks at this commit too.
        let _ = self.wake.as_ref().map(|wake| wake.try_send(()));
        if self.shared.long.swap(false, Ordering::Relaxed) {
            let _turn = self.turn();
            report(connection::fold_some(writer));
        }
    }

    /// Folds the whole log in and cuts it to nothing: see [`connection::fold`].
    pub(super) fn fold_whole(&self, writer: &Connection) -> Result<bool, StoreError> {
        let _turn = self.turn();
        connection::fold(writer)
    }

    fn turn(&self) -> std::sync::MutexGuard<'_, ()> {
        self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Folder {
    /// The thread's connection is closed before the writer's, whose end then folds all in.
    fn drop(&mut self) {
        self.wake = None;
        // A panic in it was reported when it happened.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn fold_when_woken(&self, own: &Connection, woken: &Receiver<()>) {
        let mut woken_again = false;
        while woken_again || woken.recv().is_ok() {
            let pages = {
                let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
                report(connection::fold_some(own))
            };
            self.long.store(pages > LONG_PAGES, Ordering::Relaxed);
            woken_again = false;
            let rested = Instant::now() + PAUSE;
            // Not a sleep: who is told to end, ends.
            while let Some(left) = rested.checked_duration_since(Instant::now()) {
                match woken.recv_timeout(left) {
                    Ok(()) => woken_again = true,
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }
}

/// How many pages the log holds; a fold that failed is done again, and loses nothing.
fn report(folded: Result<i64, StoreError>) -> i64 {
    folded.unwrap_or_else(|error| {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the log of the embedded store could not be folded into its file");
        0
    })
}
