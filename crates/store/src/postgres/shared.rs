//! Reads that ask one thing, as those of matches and feeds do: without a transaction, many at once over a few
//! connections.
//!
//! A closure is first run to see what it asks. The answer is fetched without a thread that waits for it, behind what
//! others have asked on the same connection, and the closure is run again with it. One statement is a snapshot by itself;
//! whoever asks a second thing gets a transaction.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::{Object, Pool};

use super::connection::{dialect, error, read_row, references};
use super::take;
use crate::backend::ReadUnit;
use crate::error::{Kind, StoreError};
use crate::keys::Keys;
use crate::sql::{Row, Sql, Value};
use crate::store::View;

/// Connections that all such reads share: PostgreSQL has a process for each.
const CONNECTIONS: usize = 4;

pub(super) struct Shared {
    pool: Pool,
    open: [Mutex<Option<Arc<Object>>>; CONNECTIONS],
    turn: AtomicUsize,
    sent: Arc<AtomicU64>,
}

impl Shared {
    pub(super) fn new(pool: Pool, sent: Arc<AtomicU64>) -> Self {
        Self { pool, open: Default::default(), turn: AtomicUsize::new(0), sent }
    }

    /// Runs a read; gives it back where it asks more than one thing.
    pub(super) async fn read(&self, mut unit: Box<dyn ReadUnit>, keys: &Keys) -> Option<Box<dyn ReadUnit>> {
        let mut ahead = Ahead::default();
        unit.run(&mut View::new(&mut ahead, keys));
        if let Some((sql, params)) = &ahead.asked {
            if ahead.more {
                return Some(unit);
            }
            ahead.answer = Some(self.ask(sql, params).await);
            unit.run(&mut View::new(&mut ahead, keys));
        }
        if ahead.more {
            return Some(unit);
        }
        unit.finish(Ok(()));
        None
    }

    async fn ask(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let client = self.connection().await?;
        self.sent.fetch_add(1, Ordering::Relaxed);
        let statement = client.prepare_cached(&dialect(sql)).await.map_err(error)?;
        let rows = client.query(&statement, &references(params)).await.map_err(error)?;
        rows.iter().map(read_row).collect()
    }

    /// One of the connections; where it was cut, another takes its place.
    async fn connection(&self) -> Result<Arc<Object>, StoreError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % CONNECTIONS;
        let Some(place) = self.open.get(turn) else { return Err(StoreError::damaged("no such connection")) };
        let open = place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(open) = open.filter(|open| !open.is_closed()) {
            return Ok(open);
        }
        let fresh = Arc::new(take(&self.pool).await?);
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    pub(super) fn close(&self) {
        for place in &self.open {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// Stands in for a connection until it is known what is asked, and then for its answer.
#[derive(Default)]
struct Ahead {
    asked: Option<(&'static str, Vec<Value>)>,
    answer: Option<Result<Vec<Row>, StoreError>>,
    /// Something else was asked too.
    more: bool,
}

impl Sql for Ahead {
    fn execute(&mut self, _: &'static str, _: &[Value]) -> Result<u64, StoreError> {
        Err(StoreError::new(Kind::Internal, "a read that writes"))
    }

    fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let same =
            self.asked.as_ref().is_some_and(|(asked, with)| (*asked, with.as_slice()) == (sql, params));
        match self.answer.take() {
            Some(answer) if same => return answer,
            _ if self.asked.is_none() => self.asked = Some((sql, params.to_vec())),
            _ => self.more = true,
        }
        Err(StoreError::new(Kind::Internal, "not answered yet"))
    }

    fn clock(&mut self) -> Result<Option<i64>, StoreError> {
        self.more = true;
        Ok(None)
    }

    fn check_integrity(&mut self) -> Result<&'static str, StoreError> {
        self.more = true;
        Ok("")
    }
}
