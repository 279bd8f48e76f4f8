//! SQLite behind the SQL port.

use std::borrow::Cow;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use super::ledger;
use super::written::Written;
use crate::error::{Kind, StoreError};
use crate::sql::{Row, Sql, Value};

/// Prepared statements kept for each connection: above the count of verbs.
const STATEMENTS: usize = 256;

/// Pages of 4 KiB in the log before the writer folds it into the file: 1.2 MiB. Measured in uploads, small folds between
/// commits hold others up the least: with 1,000 pages, with 4,000, and with a thread of its own for it, the slowest of a
/// hundred waited longer, and there were no more of them a second.
const LOG_PAGES: i64 = 300;

/// Opens, or makes, the file for the writer.
pub(super) fn open_writer(file: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(file).map_err(error)?;
    // FULL: a commit is on the disk before anybody is told. WAL: readers never wait for the writer.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(error)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(error)?;
    // What is erased is overwritten, not only unlinked.
    connection.pragma_update(None, "secure_delete", "ON").map_err(error)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES).map_err(error)?;
    tune(&connection)?;
    Ok(connection)
}

/// Opens the file for reading alone.
pub(super) fn open_reader(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).map_err(error)?;
    tune(&connection)?;
    Ok(connection)
}

/// Opens the file, which nobody else writes meanwhile, so that no file comes, goes or changes.
pub(super) fn open_untouched(file: &Path) -> Result<Connection, StoreError> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    if std::fs::metadata(log).is_ok_and(|about| about.len() > 0) {
        return open_reader(file);
    }
    // Without a log the file is all there is. A plain reader would begin one.
    let name: String =
        file.as_os_str().as_encoded_bytes().iter().map(|byte| format!("%{byte:02x}")).collect();
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags).map_err(error)
}

/// How long a connection waits for another's lock.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long writes wait while the log is folded in; who asks for it comes again.
const FOLD_PATIENCE: Duration = Duration::from_millis(100);

/// Folds the log into the file and cuts it to nothing, so that no earlier state of a row is left in either;
/// `false` when somebody reads an earlier state just now.
pub(super) fn fold(connection: &Connection) -> Result<bool, StoreError> {
    connection.busy_timeout(FOLD_PATIENCE).map_err(error)?;
    let folded = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(PATIENCE).map_err(error)?;
    match folded.map_err(error) {
        Ok(busy) => Ok(busy == 0),
        Err(busy) if busy.kind() == Kind::Unavailable => Ok(false),
        Err(error) => Err(error),
    }
}

fn tune(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // No plan hangs on what is bound: it would be made anew whenever another value is.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(error)?;
    connection.busy_timeout(PATIENCE).map_err(error)?;
    rusqlite::vtab::array::load_module(connection).map_err(error)?;
    connection.pragma_update(None, "cache_size", -32_000).map_err(error) // KiB
}

/// Runs a closure over one snapshot.
pub(super) fn snapshot(connection: &Connection, read: impl FnOnce(&mut dyn Sql)) -> Result<(), StoreError> {
    let tx = connection.unchecked_transaction().map_err(error)?;
    read(&mut SqliteSql::new(&tx));
    tx.commit().map_err(error)
}

/// Rewrites the marks of the SQL port in SQLite's way.
pub(super) fn dialect(sql: &str) -> Cow<'_, str> {
    if !sql.contains('{') {
        return Cow::Borrowed(sql);
    }
    let sql = sql.replace("{serial}", "INTEGER PRIMARY KEY AUTOINCREMENT");
    let sql = sql.replace("{clustered}", "WITHOUT ROWID");
    // There is one writer, and nobody to pass over or to keep out.
    let sql = sql.replace("{skip locked}", "").replace("{hold}", "");
    let sql = sql.replace("{each ", "SELECT value FROM (rarray(");
    Cow::Owned(sql.replace("{in ", "IN (SELECT value FROM rarray(").replace('}', "))"))
}

pub(super) struct SqliteSql<'a> {
    connection: &'a Connection,
    written: Option<&'a Written>,
}

impl<'a> SqliteSql<'a> {
    /// A connection that reads.
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, written: None }
    }

    /// The writer's connection, with what keeps account of what it writes.
    pub(super) fn writing(connection: &'a Connection, written: &'a Written) -> Self {
        Self { connection, written: Some(written) }
    }

    /// Runs a statement; what it did before it failed is undone, and leaves the account too.
    fn whole<T>(&self, run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let before = self.written.map(Written::standing);
        run().inspect_err(|_| {
            if let (Some(written), Some(before)) = (self.written, before) {
                written.go_back(before);
            }
        })
    }
}

impl Sql for SqliteSql<'_> {
    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64, StoreError> {
        self.whole(|| {
            let mut statement = self.connection.prepare_cached(&dialect(sql)).map_err(error)?;
            let touched = statement.execute(rusqlite::params_from_iter(params)).map_err(error)?;
            Ok(touched as u64)
        })
    }

    fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.whole(|| {
            let mut statement = self.connection.prepare_cached(&dialect(sql)).map_err(error)?;
            let columns = statement.column_count();
            let mut found = statement.query(rusqlite::params_from_iter(params)).map_err(error)?;
            let mut rows = Vec::new();
            while let Some(row) = found.next().map_err(error)? {
                let value = |column| row.get_ref(column).map_err(error).and_then(read_value);
                rows.push(Row((0..columns).map(value).collect::<Result<_, _>>()?));
            }
            Ok(rows)
        })
    }

    fn clock(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    fn check_integrity(&mut self) -> Result<&'static str, StoreError> {
        let rows = self.query("PRAGMA integrity_check(1)", &[])?;
        match rows.first().map(|row| row.text(0)) {
            Some(Ok("ok")) => {}
            _ => return Err(StoreError::damaged("SQLite's integrity check failed")),
        }
        ledger::check(self.connection)?;
        Ok("every row is the one that was written")
    }
}

fn read_value(value: ValueRef<'_>) -> Result<Value, StoreError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Text(text) => Value::Text(
            String::from_utf8(text.to_vec()).map_err(|_| StoreError::damaged("a text that is not UTF-8"))?,
        ),
        ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
        ValueRef::Real(_) => return Err(StoreError::damaged("a fraction where none belongs")),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Int(int) => ToSqlOutput::Borrowed(ValueRef::Integer(*int)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Blob(blob) => ToSqlOutput::Borrowed(ValueRef::Blob(blob)),
            Self::Ints(ints) => {
                let ints = ints.iter().copied().map(rusqlite::types::Value::Integer);
                ToSqlOutput::from_rc(Rc::new(ints.collect::<Vec<_>>()), c"rarray")
            }
        })
    }
}

/// Whether a value is not what its column holds.
fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
    )
}

/// Sorts SQLite's errors into the store's kinds.
pub(super) fn error(error: rusqlite::Error) -> StoreError {
    let kind = match error.sqlite_error_code() {
        None if is_unreadable(&error) => Kind::Damaged,
        Some(ErrorCode::DiskFull | ErrorCode::ReadOnly) => Kind::NoSpace,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Kind::Damaged,
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen,
        ) => Kind::Unavailable,
        _ => Kind::Internal,
    };
    StoreError::new(kind, error)
}
