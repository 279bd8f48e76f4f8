//! What a database must offer to be a backend.

use std::future::Future;
use std::pin::Pin;

use domain::key::ContactKey;
use domain::world::World;
use jiff::Timestamp;

use crate::audit::Head;
use crate::error::StoreError;
use crate::friends::Memory;
use crate::jobs::JobKind;
use crate::keys::Keys;
use crate::sql::Sql;
use crate::store::{Tx, View};

tokio::task_local! {
    static URGENT: ();
}

/// Runs something that somebody waits for at a screen: where writes stand in a queue, its writes go first. Tasks that it
/// spawns are not meant.
pub async fn urgently<T>(work: impl Future<Output = T>) -> T {
    URGENT.scope((), work).await
}

/// Whether somebody waits for what the task at hand does.
pub(crate) fn is_urgent() -> bool {
    URGENT.try_with(|()| ()).is_ok()
}

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A write, stripped of its types.
pub(crate) trait WriteUnit: Send {
    /// Runs the closure; `true` to keep what it wrote. May be called again after a lost race.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Whether it only takes from a queue: each statement then sees what is committed by then, and nothing is
    /// run again because another took something else.
    fn takes(&self) -> bool {
        false
    }
    /// Hands the outcome to whoever waits, once the commit has succeeded or failed.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A read, stripped of its types.
pub(crate) trait ReadUnit: Send {
    /// Runs the closure over one snapshot; what an earlier run has said is forgotten.
    fn run(&mut self, view: &mut View<'_>);
    /// Hands the outcome to whoever waits.
    fn finish(self: Box<Self>, done: Result<(), StoreError>);
}

/// A job that a write has added: its kind, topic, payload and time.
pub(crate) type Topic = (JobKind, String, String, Timestamp);

/// What to tell the rest of the process after a commit.
#[derive(Default)]
pub(crate) struct Effects {
    /// Somebody's event stream grew.
    pub(crate) events: Vec<ContactKey>,
    /// A job may be due.
    pub(crate) jobs: bool,
    /// The jobs with a topic that this write has added.
    pub(crate) topics: Vec<Topic>,
    /// A text may be due.
    pub(crate) texts: bool,
    /// Chains of the audit log grew.
    pub(crate) audit: Vec<Head>,
}

/// The tools that every transaction needs beside its connection.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) keys: Keys,
    pub(crate) world: World,
}

/// A database.
pub(crate) trait Backend: Send + Sync {
    /// Runs a write whole; durable before the unit is finished.
    fn write(&self, unit: Box<dyn WriteUnit>) -> BoxFuture<'_, ()>;
    /// Runs a read over one snapshot.
    fn read(&self, unit: Box<dyn ReadUnit>) -> BoxFuture<'_, ()>;
    /// Runs a read that mostly asks one thing.
    fn read_little(&self, unit: Box<dyn ReadUnit>) -> BoxFuture<'_, ()> {
        self.read(unit)
    }
    /// Statements sent to a server so far.
    fn statements(&self) -> u64 {
        0
    }
    /// Shows what is kept in memory of matches and shares; `false` where nothing is.
    fn remember(&self, _look: &mut dyn FnMut(&dyn Memory)) -> Result<bool, StoreError> {
        Ok(false)
    }
    /// Whether other processes may write to the same database at the same time.
    fn is_shared(&self) -> bool;
    /// Overwrites what earlier commits have left behind in the database's files; `false` when it could not,
    /// because somebody reads what was there before.
    fn overwrite_old(&self) -> BoxFuture<'_, Result<bool, StoreError>>;
    /// Whether the database answers.
    fn ping(&self) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Finishes what is queued and closes.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Runs a unit's closure over a connection; the effects count only if it says `true` and commits.
pub(crate) fn run_write(unit: &mut dyn WriteUnit, sql: &mut dyn Sql, tools: &Tools) -> Option<Effects> {
    let mut effects = Effects::default();
    let mut tx = Tx::new(sql, tools, &mut effects);
    unit.run(&mut tx).then_some(effects)
}
