//! The one writer: many closures, one commit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;

use super::connection::{self, SqliteSql};
use super::queue::{Batch, Queue};
use super::written::Written;
use crate::backend::{Effects, Tools, WriteUnit, run_write};
use crate::error::{Kind, StoreError};
use crate::failpoints::{self, Point};
use crate::store::Signals;

pub(super) fn spawn(
    connection: Connection,
    written: Written,
    tools: Tools,
    signals: Signals,
) -> Result<Queue, StoreError> {
    let queue = Queue::default();
    let writer = Writer { connection, written, tools, signals };
    let work = Work(queue.clone());
    std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || writer.run(&work))
        .map_err(|error| StoreError::new(Kind::Unavailable, error))?;
    Ok(queue)
}

/// The queue's end for the writer: however it ends, nobody waits in vain.
struct Work(Queue);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.shut();
    }
}

struct Writer {
    connection: Connection,
    written: Written,
    tools: Tools,
    signals: Signals,
}

impl Writer {
    fn run(self, work: &Work) {
        while let Some(Batch { units, folds, close }) = work.0.take() {
            self.commit(units);
            for done in folds {
                // Whoever asked may have gone.
                let _ = done.send(connection::fold(&self.connection));
            }
            if let Some(done) = close {
                // Closing the last connection folds the log into the file.
                drop(self.connection);
                let _ = done.send(());
                return;
            }
        }
    }

    fn commit(&self, mut batch: Vec<Box<dyn WriteUnit>>) {
        if batch.is_empty() {
            return;
        }
        metrics::histogram!("store_commit_writes").record(batch.len() as f64);
        let done = self.run_batch(&mut batch);
        match done.and_then(|effects| failpoints::pass_blocking(Point::AfterCommit).map(|()| effects)) {
            Ok(effects) => {
                effects.into_iter().for_each(|effects| self.signals.tell(effects));
                batch.into_iter().for_each(|unit| unit.finish(Ok(())));
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a commit of the embedded store failed"
                );
                let kind = error.kind();
                batch
                    .into_iter()
                    .for_each(|unit| unit.finish(Err(StoreError::new(kind, "the commit failed"))));
            }
        }
    }

    fn run_batch(&self, batch: &mut [Box<dyn WriteUnit>]) -> Result<Vec<Effects>, StoreError> {
        self.batch_statement("BEGIN IMMEDIATE")?;
        let outcome = self.run_together(batch).and_then(|effects| {
            let kept: Vec<_> = effects.into_iter().flatten().collect();
            if kept.is_empty() {
                return Ok(None);
            }
            self.end_batch().map(|()| Some(kept))
        });
        match outcome {
            Ok(Some(kept)) => Ok(kept),
            Ok(None) => self.undo().map(|()| Vec::new()),
            Err(error) => {
                // Fails when SQLite has rolled back by itself; either way nothing of the batch stays.
                let _ = self.undo();
                Err(error)
            }
        }
    }

    fn undo(&self) -> Result<(), StoreError> {
        let undone = self.batch_statement("ROLLBACK");
        self.written.rolled_back(&self.connection);
        undone
    }

    fn end_batch(&self) -> Result<(), StoreError> {
        failpoints::pass_blocking(Point::BeforeCommit)?;
        self.written.end(&self.connection)?;
        self.batch_statement("COMMIT")?;
        self.written.committed();
        Ok(())
    }

    /// Runs a batch's units one after the other. Who is refused has hardly ever written before, so that nothing is to
    /// be undone: a savepoint for each would copy every page that it changes. Where something is, all run again, apart.
    fn run_together(&self, batch: &mut [Box<dyn WriteUnit>]) -> Result<Vec<Option<Effects>>, StoreError> {
        let alone = batch.len() == 1;
        let mut effects = Vec::with_capacity(batch.len());
        for unit in batch.iter_mut() {
            let before = self.connection.total_changes();
            let kept = self.run_unit(unit.as_mut());
            // What a unit that is alone undoes, it undoes with the whole.
            if kept.is_none() && !alone && self.connection.total_changes() != before {
                self.undo()?;
                self.batch_statement("BEGIN IMMEDIATE")?;
                return batch.iter_mut().map(|unit| self.run_apart(unit.as_mut())).collect();
            }
            // Some faults of the disk end the transaction; what came after would be committed piece by piece.
            if self.connection.is_autocommit() {
                return Err(StoreError::new(Kind::Unavailable, "the database has ended the transaction"));
            }
            effects.push(kept);
        }
        Ok(effects)
    }

    /// Runs one of several: what it undoes is undone alone.
    fn run_apart(&self, unit: &mut dyn WriteUnit) -> Result<Option<Effects>, StoreError> {
        self.batch_statement("SAVEPOINT unit")?;
        let before = self.written.standing();
        let effects = self.run_unit(unit);
        if effects.is_none() {
            self.batch_statement("ROLLBACK TO unit")?;
            self.written.go_back(before);
        }
        self.batch_statement("RELEASE unit")?;
        Ok(effects)
    }

    /// Runs a unit; `None` when nothing that it wrote may stay.
    fn run_unit(&self, unit: &mut dyn WriteUnit) -> Option<Effects> {
        let run = || run_write(unit, &mut SqliteSql::writing(&self.connection, &self.written), &self.tools);
        // A panic in one closure must not take the others' writes, or the writer, with it.
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
            tracing::error!("a write panicked; it was rolled back");
            None
        })
    }

    fn batch_statement(&self, sql: &'static str) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(connection::error)?;
        statement.execute([]).map(|_| ()).map_err(connection::error)
    }
}
