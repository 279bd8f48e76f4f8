//! The rows that come and go over the writer's connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{Connection, Result};

/// A row that came or went. A row that is changed goes and comes.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::embedded) struct Change {
    pub(super) came: bool,
    pub(super) row: Row,
}

/// What a row says to those who read memory.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// One direction of a match; since when in Unix seconds.
    Matched {
        owner: u64,
        friend: u64,
        since: u32,
    },
    Shown(Shown),
}

/// A row of what people show.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Subscription { id: [u8; 16], owner: u64, offering: String, active: bool },
    Share { no: i64, subscription: [u8; 16], owner: u64, named: bool, since: i64 },
    Audience { share: i64, friend: u64 },
    Seen { share: i64, viewer: u64 },
    Card { offering: String, body: String, sensitive: bool },
}

/// A table that is followed.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [&'static str],
    /// Reads a row from its columns, of which the first stands at a place of what was selected.
    pub(super) read: fn(&dyn Columns) -> Result<Row>,
}

/// The columns of a row.
pub(super) trait Columns {
    fn value(&self, column: usize) -> Result<ValueRef<'_>>;
}

impl dyn Columns + '_ {
    fn get<T: FromSql>(&self, column: usize) -> Result<T> {
        Ok(T::column_result(self.value(column)?)?)
    }

    fn key(&self, column: usize) -> Result<u64> {
        self.get(column).map(i64::cast_unsigned)
    }
}

/// A row's Unix milliseconds as memory keeps them.
pub(super) fn whole_seconds(ms: i64) -> u32 {
    (ms / 1000).clamp(0, u32::MAX.into()) as u32
}

/// All that memory follows.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "matched",
        columns: &["owner", "friend", "since"],
        read: |row| {
            let since = whole_seconds(row.get(2)?);
            Ok(Row::Matched { owner: row.key(0)?, friend: row.key(1)?, since })
        },
    },
    Table {
        name: "subscription",
        columns: &["id", "owner", "offering", "status"],
        read: |row| {
            let (id, owner) = (row.get(0)?, row.key(1)?);
            let (offering, active) = (row.get(2)?, row.get::<String>(3)? == "active");
            Ok(Row::Shown(Shown::Subscription { id, owner, offering, active }))
        },
    },
    Table {
        name: "share",
        columns: &["no", "subscription", "owner", "named", "since"],
        read: |row| {
            let (no, subscription, owner) = (row.get(0)?, row.get(1)?, row.key(2)?);
            let (named, since) = (row.get(3)?, row.get(4)?);
            Ok(Row::Shown(Shown::Share { no, subscription, owner, named, since }))
        },
    },
    Table {
        name: "share_audience",
        columns: &["share", "friend"],
        read: |row| Ok(Row::Shown(Shown::Audience { share: row.get(0)?, friend: row.key(1)? })),
    },
    Table {
        name: "share_seen",
        columns: &["share", "viewer"],
        read: |row| Ok(Row::Shown(Shown::Seen { share: row.get(0)?, viewer: row.key(1)? })),
    },
    Table {
        name: "card",
        columns: &["offering", "body", "sensitive"],
        read: |row| {
            let (offering, body, sensitive) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Row::Shown(Shown::Card { offering, body, sensitive }))
        },
    },
];

impl Columns for Context<'_> {
    fn value(&self, column: usize) -> Result<ValueRef<'_>> {
        Ok(self.get_raw(column))
    }
}

impl Columns for rusqlite::Row<'_> {
    fn value(&self, column: usize) -> Result<ValueRef<'_>> {
        self.get_ref(column)
    }
}

/// What has come and gone since the last commit, in order.
#[derive(Clone, Default)]
pub(in crate::embedded) struct Capture(Arc<Mutex<Vec<Change>>>);

impl Capture {
    /// Has each row that comes or goes over this connection written down here.
    pub(in crate::embedded) fn attach(&self, connection: &Connection) -> Result<()> {
        for Table { name, columns, read } in TABLES {
            for (function, came) in [("came", true), ("went", false)] {
                let changes = self.clone();
                let name = format!("{function}_{name}");
                let count = columns.len() as i32;
                connection.create_scalar_function(
                    name.as_str(),
                    count,
                    FunctionFlags::SQLITE_UTF8,
                    move |row| {
                        let row = read(row)?;
                        changes.lock().push(Change { came, row });
                        Ok(rusqlite::types::Null)
                    },
                )?;
            }
            let values =
                |row| columns.iter().map(|column| format!("{row}.{column}")).collect::<Vec<_>>().join(", ");
            let (new, old) = (values("NEW"), values("OLD"));
            connection.execute_batch(&format!(
                "CREATE TEMP TRIGGER resident_insert_{name} AFTER INSERT ON main.{name}
                   BEGIN SELECT came_{name}({new}); END;
                 CREATE TEMP TRIGGER resident_update_{name} AFTER UPDATE ON main.{name}
                   BEGIN SELECT went_{name}({old}); SELECT came_{name}({new}); END;
                 CREATE TEMP TRIGGER resident_delete_{name} AFTER DELETE ON main.{name}
                   BEGIN SELECT went_{name}({old}); END;"
            ))?;
        }
        Ok(())
    }

    /// How many there are: what a statement or a closure did after it can be undone.
    pub(in crate::embedded) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Goes back to an earlier count, with the database.
    pub(in crate::embedded) fn go_back(&self, count: usize) {
        self.lock().truncate(count);
    }

    /// Takes all of them: they are committed.
    pub(in crate::embedded) fn take(&self) -> Vec<Change> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Change>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
