//! What the writer's connection has written since the last commit: the ledger's sum of it, and what memory follows.

use std::sync::Arc;

use rusqlite::Connection;

use super::connection;
use super::ledger::{self, Ledger, Mark};
use super::resident::{Capture, Shared};
use crate::error::StoreError;
use crate::store::OpenError;

/// The account of one connection that writes.
pub(super) struct Written {
    ledger: Ledger,
    capture: Capture,
    memory: Arc<Shared>,
}

/// Where the account stands: what came after it can be undone.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    ledger: ledger::Change,
    captured: usize,
}

impl Written {
    /// Begins the account of a database, whose tables are all there.
    pub(super) fn open(connection: &Connection, mark: Mark) -> Result<Self, OpenError> {
        let ledger = Ledger::open(connection, mark)?;
        let capture = Capture::default();
        capture.attach(connection).map_err(connection::error)?;
        Ok(Self { ledger, capture, memory: Arc::default() })
    }

    /// The memory that follows each commit.
    pub(super) fn memory(&self) -> Arc<Shared> {
        Arc::clone(&self.memory)
    }

    pub(super) fn standing(&self) -> Standing {
        Standing { ledger: self.ledger.change(), captured: self.capture.count() }
    }

    /// Goes back to an earlier standing, with the database.
    pub(super) fn go_back(&self, to: Standing) {
        self.ledger.go_back(to.ledger);
        self.capture.go_back(to.captured);
    }

    /// Writes down, in the batch itself, what it comes to.
    pub(super) fn end(&self, connection: &Connection) -> Result<(), StoreError> {
        self.ledger.write(connection)
    }

    /// The batch is durable: the mark says so, and memory follows, before anybody is told.
    pub(super) fn committed(&self) {
        self.ledger.committed();
        self.memory.apply(self.capture.take());
    }

    /// The batch is undone.
    pub(super) fn rolled_back(&self, connection: &Connection) {
        self.ledger.rolled_back(connection);
        self.capture.go_back(0);
    }
}
