//! PostgreSQL behind the SQL port.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use deadpool_postgres::Object;
use futures::{FutureExt, future};
use tokio::runtime::Handle;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::error::{Kind, StoreError};
use crate::sql::{Row, Sql, Value};

/// Rewrites the marks of the SQL port in PostgreSQL's way.
pub(super) fn dialect(sql: &str) -> Cow<'_, str> {
    if !sql.contains('{') {
        return Cow::Borrowed(sql);
    }
    let sql = sql.replace("{clustered}", "");
    let sql = sql.replace("{serial}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY");
    let sql = sql.replace("{skip locked}", "FOR UPDATE SKIP LOCKED").replace("{hold}", "FOR SHARE");
    let sql = sql.replace("{each ", "SELECT unnest AS value FROM unnest(");
    Cow::Owned(sql.replace("{in ", "= ANY(").replace('}', "::BIGINT[])"))
}

/// The schema in PostgreSQL's way. Texts are compared by their bytes, as SQLite does, whatever order of letters the
/// database was made with.
pub(super) fn schema_dialect(sql: &str) -> String {
    dialect(sql).replace("TEXT", "TEXT COLLATE \"C\"")
}

/// A rule of uniqueness, and the values that stood there already.
#[derive(PartialEq, Eq)]
pub(super) struct Taken {
    rule: String,
    values: String,
}

/// One connection inside one transaction, driven from a blocking thread.
pub(super) struct PostgresSql {
    client: Object,
    handle: Handle,
    /// What begins the transaction, as long as it has not been sent.
    begin: Option<&'static str>,
    sent: Arc<AtomicU64>,
    lost_race: bool,
    taken: Option<Taken>,
    ended: bool,
}

impl PostgresSql {
    /// A transaction that begins with its first statement.
    pub(super) fn new(client: Object, handle: Handle, begin: &'static str, sent: &Arc<AtomicU64>) -> Self {
        let sent = Arc::clone(sent);
        Self { client, handle, begin: Some(begin), sent, lost_race: false, taken: None, ended: false }
    }

    /// Whether a statement failed because another transaction came first.
    pub(super) fn lost_race(&self) -> bool {
        self.lost_race
    }

    /// What was found taken in the run before this one.
    pub(super) fn knowing(mut self, taken: Option<Taken>) -> Self {
        self.taken = taken;
        self
    }

    /// What a statement found taken, where that is why it failed.
    pub(super) fn taken(&mut self) -> Option<Taken> {
        self.taken.take()
    }

    pub(super) fn end(mut self, keep: bool) -> Result<(), StoreError> {
        self.ended = true;
        if self.begin.is_some() {
            return Ok(());
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        let end = if keep { "COMMIT" } else { "ROLLBACK" };
        self.handle.block_on(self.client.batch_execute(end)).map_err(error)
    }

    /// Ends a transaction that has only read: whatever comes next on this connection comes after it, so nobody waits.
    pub(super) fn leave(mut self) {
        self.ended = true;
        if self.begin.is_none() {
            self.sent.fetch_add(1, Ordering::Relaxed);
            let _ = self.client.batch_execute("COMMIT").now_or_never();
        }
    }

    fn run<T>(
        &mut self,
        sql: &'static str,
        run: impl AsyncFnOnce(&Object, Statement) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let begin = self.begin.take();
        self.sent.fetch_add(1 + u64::from(begin.is_some()), Ordering::Relaxed);
        let client = &self.client;
        let outcome = self.handle.block_on(async {
            let statement = client.prepare_cached(&dialect(sql)).await;
            match begin {
                // What only reads goes out right behind the beginning; were that refused, nothing is done.
                Some(begin) if sql.starts_with("SELECT") => {
                    let read = async { run(client, statement?).await };
                    let (begun, outcome) = future::join(client.batch_execute(begin), read).await;
                    begun.and(outcome)
                }
                Some(begin) => {
                    client.batch_execute(begin).await?;
                    run(client, statement?).await
                }
                None => run(client, statement?).await,
            }
        });
        outcome.map_err(|source| {
            let found = taken(&source);
            // Whoever had it first had committed before this run began: it is no race that another run could win.
            let mistake = found.is_some() && found == self.taken;
            self.taken = found;
            let error = if mistake { StoreError::new(Kind::Internal, source) } else { error(source) };
            self.lost_race |= error.kind() == Kind::Contended;
            error
        })
    }
}

impl Drop for PostgresSql {
    fn drop(&mut self) {
        if !self.ended && self.begin.is_none() {
            // Only a panic comes here: the connection must not go back to the pool mid-transaction.
            let _ = self.handle.block_on(self.client.batch_execute("ROLLBACK"));
        }
    }
}

impl Sql for PostgresSql {
    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64, StoreError> {
        self.run(sql, async |client, statement| client.execute(&statement, &references(params)).await)
    }

    fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let rows =
            self.run(sql, async |client, statement| client.query(&statement, &references(params)).await);
        rows?.iter().map(read_row).collect()
    }

    fn clock(&mut self) -> Result<Option<i64>, StoreError> {
        let row =
            self.query_one("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)", &[])?;
        row.map(|row| row.int(0)).transpose()
    }

    fn check_integrity(&mut self) -> Result<&'static str, StoreError> {
        // A damaged page is the server's to find, as it reads it.
        let row = self.query_one("SELECT current_setting('data_checksums')", &[])?;
        Ok(match row.as_ref().map(|row| row.text(0)).transpose()? {
            Some("on") => "PostgreSQL checks each page by its data checksums",
            _ => {
                "PostgreSQL keeps no data checksums here, so a damaged page may go unseen: enable them with pg_checksums"
            }
        })
    }
}

pub(super) fn references(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|param| param as _).collect()
}

pub(super) fn read_row(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let value = |(index, column): (usize, &tokio_postgres::Column)| {
        let value = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index).map(|v| v.map(Value::Int)),
            Type::INT4 => row.try_get::<_, Option<i32>>(index).map(|v| v.map(|int| Value::Int(int.into()))),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index).map(|v| v.map(Value::Blob)),
            Type::TEXT | Type::VARCHAR => row.try_get::<_, Option<String>>(index).map(|v| v.map(Value::Text)),
            _ => return Err(StoreError::new(Kind::Internal, format!("a column of type {}", column.type_()))),
        };
        value.map(|value| value.unwrap_or(Value::Null)).map_err(error)
    };
    row.columns().iter().enumerate().map(value).collect::<Result<_, _>>().map(Row)
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(int) if *ty == Type::INT4 => i32::try_from(*int)?.to_sql(ty, out),
            Self::Int(int) => int.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Blob(blob) => blob.to_sql(ty, out),
            Self::Ints(ints) => ints.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::TEXT | Type::VARCHAR | Type::BYTEA | Type::INT8_ARRAY)
    }

    to_sql_checked!();
}

fn taken(error: &tokio_postgres::Error) -> Option<Taken> {
    let error = error.as_db_error().filter(|error| *error.code() == SqlState::UNIQUE_VIOLATION)?;
    Some(Taken { rule: error.constraint()?.to_owned(), values: error.detail()?.to_owned() })
}

/// Sorts PostgreSQL's errors into the store's kinds.
pub(super) fn error(error: tokio_postgres::Error) -> StoreError {
    let kind = match error.code() {
        Some(code)
            if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED =>
        {
            Kind::Contended
        }
        // Two first writes of one key: the second finds the first when it runs again.
        Some(code) if *code == SqlState::UNIQUE_VIOLATION => Kind::Contended,
        Some(code) if *code == SqlState::DISK_FULL || *code == SqlState::READ_ONLY_SQL_TRANSACTION => {
            Kind::NoSpace
        }
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => Kind::NotAllowed,
        Some(code) if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED => {
            Kind::Damaged
        }
        Some(code) if code.code().starts_with("57") || code.code().starts_with("53") => Kind::Unavailable,
        Some(_) => Kind::Internal,
        None => Kind::Unavailable,
    };
    StoreError::new(kind, error)
}
