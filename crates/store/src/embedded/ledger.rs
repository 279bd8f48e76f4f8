//! The ledger: with each commit, a count of commits and a digest of every row.
//!
//! SQLite passes over a damaged end of its log in silence, and its own check sees structure, not content.
//! So the writer adds up a hash of each row that comes and takes off that of each that goes, by triggers
//! of its own connection, and writes the sum with the batch that changed it. A mark beside the database,
//! written after the commit and before anybody is told, says how far it had come: a database that is
//! behind its mark has lost what was acknowledged, and is not opened. The mark is not synced: a killed
//! process leaves it whole, and a power cut can only make it older, or torn, which proves nothing.

use std::fs::File;
use std::hash::Hasher;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
use siphasher::sip128::{Hasher128, SipHasher13};

use super::connection;
use crate::error::{Kind, StoreError};
use crate::store::OpenError;

/// How far a database has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Entry {
    /// Commits that changed something.
    commits: u64,
    /// The sum of the hashes of all rows.
    rows: u128,
    /// The hash of the keys that count by themselves.
    serials: u128,
}

const ENTRY_BYTES: usize = 40;
/// An entry and its checksum.
const MARK_BYTES: usize = ENTRY_BYTES + 8;

impl Entry {
    fn to_bytes(self) -> Vec<u8> {
        let Self { commits, rows, serials } = self;
        [commits.to_le_bytes().as_slice(), &rows.to_le_bytes(), &serials.to_le_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (commits, rest) = bytes.split_first_chunk()?;
        let (rows, rest) = rest.split_first_chunk()?;
        Some(Self {
            commits: u64::from_le_bytes(*commits),
            rows: u128::from_le_bytes(*rows),
            serials: u128::from_le_bytes(rest.try_into().ok()?),
        })
    }

    /// What the database says of itself.
    pub(super) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let row = connection.query_row("SELECT value FROM meta WHERE name = 'ledger'", [], |row| row.get(0));
        let bytes: Option<Vec<u8>> = row.optional().map_err(connection::error)?;
        let entry = bytes.as_deref().and_then(Self::from_bytes);
        entry.ok_or_else(|| StoreError::damaged("the ledger is gone"))
    }

    /// What the rows say, each of them read.
    pub(super) fn recompute(connection: &Connection, commits: u64) -> Result<Self, StoreError> {
        let mut rows = 0_u128;
        for table in tables(connection)? {
            let Table { name, columns } = &table;
            let sql =
                format!("SELECT {} FROM main.\"{name}\"{}", columns.join(", "), table.but_the_ledger(""));
            let mut statement = connection.prepare(&sql).map_err(connection::error)?;
            let mut found = statement.query([]).map_err(connection::error)?;
            while let Some(row) = found.next().map_err(connection::error)? {
                let mut hash = RowHash::new(name);
                for column in 0..columns.len() {
                    hash.add(row.get_ref(column).map_err(connection::error)?);
                }
                rows = rows.wrapping_add(hash.finish());
            }
        }
        Ok(Self { commits, rows, serials: serials(connection)? })
    }
}

/// Begins the ledger of a database that was just made or brought up to date, in the commit that did so.
pub(super) fn begin(connection: &Connection) -> Result<(), StoreError> {
    let commits = Entry::read(connection).map_or(0, |entry| entry.commits);
    let put = |name: &str, value: Vec<u8>| {
        let sql = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        connection.execute(sql, (name, value)).map_err(connection::error)
    };
    put("schema", schema(connection)?.to_le_bytes().to_vec())?;
    let entry = Entry::recompute(connection, commits + 1)?;
    put("ledger", entry.to_bytes()).map(drop)
}

/// Checks that every row, and the schema, is the one that was written.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    let written = Entry::read(connection)?;
    if Entry::recompute(connection, written.commits)? != written {
        return Err(StoreError::damaged("the rows are not those that were written"));
    }
    let row = connection.query_row("SELECT value FROM meta WHERE name = 'schema'", [], |row| row.get(0));
    let row: Option<Vec<u8>> = row.optional().map_err(connection::error)?;
    if row.as_deref() != Some(schema(connection)?.to_le_bytes().as_slice()) {
        return Err(StoreError::damaged("the schema is not the one that was written"));
    }
    Ok(())
}

/// The hash of what the tables and indexes are made from.
fn schema(connection: &Connection) -> Result<u128, StoreError> {
    let read = || -> rusqlite::Result<u128> {
        let mut hash = RowHash::new("schema");
        let sql = "SELECT type, name, tbl_name, sql FROM main.sqlite_master ORDER BY type, name";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..4 {
                hash.add(row.get_ref(column)?);
            }
        }
        Ok(hash.finish())
    };
    read().map_err(connection::error)
}

/// A table that has a place in the ledger: its name and its columns, quoted.
struct Table {
    name: String,
    columns: Vec<String>,
}

impl Table {
    /// The ledger's own row cannot be part of what it adds up.
    fn but_the_ledger(&self, row: &str) -> String {
        let condition = if row.is_empty() { "WHERE " } else { "WHEN " };
        if self.name == "meta" { format!(" {condition}{row}name <> 'ledger'") } else { String::new() }
    }
}

fn tables(connection: &Connection) -> Result<Vec<Table>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Table>> {
        let names = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        let mut names = connection.prepare(names)?;
        let names = names.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        let mut tables = Vec::new();
        for name in names {
            let mut columns = connection.prepare("SELECT name FROM pragma_table_info($1)")?;
            let columns = columns.query_map([&name], |row| row.get::<_, String>(0))?;
            let columns =
                columns.map(|name| Ok(format!("\"{}\"", name?))).collect::<rusqlite::Result<_>>()?;
            tables.push(Table { name, columns });
        }
        Ok(tables)
    };
    read().map_err(connection::error)
}

fn serials(connection: &Connection) -> Result<u128, StoreError> {
    let read = || -> rusqlite::Result<u128> {
        let mut hash = RowHash::new("serials");
        let mut statement =
            connection.prepare_cached("SELECT name, seq FROM sqlite_sequence ORDER BY name")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            hash.add(row.get_ref(0)?);
            hash.add(row.get_ref(1)?);
        }
        Ok(hash.finish())
    };
    read().map_err(connection::error)
}

/// The hash of one row. It finds what happens by chance; nobody's malice.
struct RowHash(SipHasher13);

impl RowHash {
    fn new(table: &str) -> Self {
        let mut hash = Self(SipHasher13::new());
        hash.add(ValueRef::Text(table.as_bytes()));
        hash
    }

    /// Adds a value with its type and length, so that no two lists of values look alike.
    fn add(&mut self, value: ValueRef<'_>) {
        let (tag, bytes): (u8, &[u8]) = match value {
            ValueRef::Null => (0, &[]),
            ValueRef::Integer(int) => (1, &int.to_le_bytes()),
            ValueRef::Real(real) => (2, &real.to_le_bytes()),
            ValueRef::Text(text) => (3, text),
            ValueRef::Blob(blob) => (4, blob),
        };
        self.0.write_u8(tag);
        self.0.write_usize(bytes.len());
        self.0.write(bytes);
    }

    fn finish(&self) -> u128 {
        self.0.finish128().as_u128()
    }
}

/// What has changed since the last commit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Change {
    rows: u128,
    /// Whether any row came or went.
    any: bool,
}

/// Keeps the ledger over the writer's connection.
pub(super) struct Ledger {
    change: Arc<Mutex<Change>>,
    entry: Mutex<Entry>,
    mark: Mark,
}

impl Ledger {
    /// Opens the ledger of a database, whose tables are all there, beside its mark.
    pub(super) fn open(connection: &Connection, mark: Mark) -> Result<Self, OpenError> {
        let entry = Entry::read(connection)?;
        mark.compare(entry)?;
        let ledger = Self { change: Arc::default(), entry: Mutex::new(entry), mark };
        ledger.attach(connection).map_err(connection::error)?;
        Ok(ledger)
    }

    /// Has every row that comes or goes over this connection added up.
    fn attach(&self, connection: &Connection) -> rusqlite::Result<()> {
        for (name, sign) in [("ledger_in", 1_u128), ("ledger_out", u128::MAX)] {
            let change = Arc::clone(&self.change);
            connection.create_scalar_function(name, -1, FunctionFlags::SQLITE_UTF8, move |row| {
                let table = row.get_raw(0).as_str().unwrap_or_default();
                let mut hash = RowHash::new(table);
                (1..row.len()).for_each(|column| hash.add(row.get_raw(column)));
                let mut change = lock(&change);
                change.rows = change.rows.wrapping_add(hash.finish().wrapping_mul(sign));
                change.any = true;
                Ok(rusqlite::types::Null)
            })?;
        }
        for table in tables(connection).map_err(|_| rusqlite::Error::InvalidQuery)? {
            let Table { name, columns } = &table;
            let values =
                |row: &str| columns.iter().map(|column| format!(", {row}.{column}")).collect::<String>();
            let (new, old) = (values("NEW"), values("OLD"));
            let (came, went) = (table.but_the_ledger("NEW."), table.but_the_ledger("OLD."));
            connection.execute_batch(&format!(
                "CREATE TEMP TRIGGER \"ledger_insert_{name}\" AFTER INSERT ON main.\"{name}\"{came}
                   BEGIN SELECT ledger_in('{name}'{new}); END;
                 CREATE TEMP TRIGGER \"ledger_update_{name}\" AFTER UPDATE ON main.\"{name}\"{went}
                   BEGIN SELECT ledger_out('{name}'{old}), ledger_in('{name}'{new}); END;
                 CREATE TEMP TRIGGER \"ledger_delete_{name}\" AFTER DELETE ON main.\"{name}\"{went}
                   BEGIN SELECT ledger_out('{name}'{old}); END;"
            ))?;
        }
        Ok(())
    }

    /// Where the change stands: what a statement or a closure did after it can be undone.
    pub(super) fn change(&self) -> Change {
        *lock(&self.change)
    }

    /// Goes back to an earlier standing, with the database.
    pub(super) fn go_back(&self, to: Change) {
        *lock(&self.change) = to;
    }

    /// Writes the entry of a batch about to be committed; nothing when the batch changes nothing.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), StoreError> {
        let change = self.change();
        if !change.any {
            return Ok(());
        }
        let next = self.next(change, serials(connection)?);
        let write = || {
            let mut statement =
                connection.prepare_cached("UPDATE meta SET value = $1 WHERE name = 'ledger'")?;
            statement.execute([next.to_bytes()])
        };
        match write().map_err(connection::error)? {
            1 => {
                *lock(&self.entry) = next;
                Ok(())
            }
            _ => Err(StoreError::damaged("the ledger is gone")),
        }
    }

    fn next(&self, change: Change, serials: u128) -> Entry {
        let entry = *lock(&self.entry);
        Entry { commits: entry.commits + 1, rows: entry.rows.wrapping_add(change.rows), serials }
    }

    /// The batch is durable: the mark says so before anybody is told.
    pub(super) fn committed(&self) {
        if self.change().any {
            self.mark.write(*lock(&self.entry));
        }
        self.go_back(Change::default());
    }

    /// The batch is undone: the database says where the ledger stands.
    pub(super) fn rolled_back(&self, connection: &Connection) {
        self.go_back(Change::default());
        // A database that cannot be read now takes no writes either.
        if let Ok(entry) = Entry::read(connection) {
            *lock(&self.entry) = entry;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The file beside the database that says how far it had come.
pub(super) struct Mark {
    path: PathBuf,
    file: File,
}

impl Mark {
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("hutong.mark");
        let open =
            File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = open.map_err(|error| StoreError::new(Kind::Unavailable, error))?;
        Ok(Self { path, file })
    }

    /// What it says; `None` when it says nothing that can be relied on.
    fn read(&self) -> Option<Entry> {
        let mut bytes = [0; MARK_BYTES];
        self.file.read_exact_at(&mut bytes, 0).ok()?;
        let (entry, sum) = bytes.split_at(ENTRY_BYTES);
        if checksum(entry) == sum { Entry::from_bytes(entry) } else { None }
    }

    pub(super) fn write(&self, entry: Entry) {
        let entry = entry.to_bytes();
        let bytes = [entry.as_slice(), &checksum(&entry)].concat();
        if let Err(error) = self.file.write_all_at(&bytes, 0) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "the mark beside the database could not be written; it proves less until it can"
            );
        }
    }

    /// Refuses a database that is not there yet, or no more, where the mark says that it had come further.
    pub(super) fn compare_with_nothing(&self) -> Result<(), OpenError> {
        self.compare(Entry::default())
    }

    fn compare(&self, found: Entry) -> Result<(), OpenError> {
        let Some(marked) = self.read() else { return Ok(()) };
        if marked.commits > found.commits {
            let (lost, mark) = (marked.commits - found.commits, self.path.clone());
            return Err(OpenError::Behind { lost, mark });
        }
        if marked.commits == found.commits && marked != found {
            return Err(StoreError::damaged("the ledger is not what its mark says").into());
        }
        Ok(())
    }
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut hasher = siphasher::sip::SipHasher13::new();
    hasher.write(bytes);
    hasher.finish().to_le_bytes()
}
