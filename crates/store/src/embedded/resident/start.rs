//! The memory at start: read from the rows, and matches held against the books by the bulk matcher.

use rusqlite::Connection;

use super::capture::{Change, TABLES, Table, whole_seconds};
use super::{Resident, Shared};
use crate::embedded::connection;
use crate::error::{Kind, StoreError};
use crate::friends::{Differences, Truth};

impl Shared {
    /// Reads the rows of the last commit, while the second connection reads the books, and holds the matches against
    /// those that follow from these. Nobody may write meanwhile.
    ///
    /// # Errors
    /// When rows cannot be read, or are more than memory takes; damaged, when a book is not what was written.
    pub(in crate::embedded) fn load(
        &self,
        connection: &Connection,
        second: Connection,
    ) -> Result<Differences, StoreError> {
        let (resident, truth) = std::thread::scope(|scope| {
            let books = scope.spawn(move || read_truth(&second));
            let resident = read(connection);
            (resident, books.join())
        });
        let resident = resident.map_err(connection::error)?;
        let panicked = |_| StoreError::new(Kind::Internal, "reading the books ended in a panic");
        let truth = truth.map_err(panicked)?.map_err(connection::error)?;
        if resident.full {
            return Err(StoreError::new(Kind::NoSpace, "more people than the memory has ids for"));
        }
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = resident;
        self.read(|Resident { matches, .. }| {
            let all = || {
                let of = |key| matches.matches_of(key).into_iter().flatten().map(move |friend| (key, friend));
                matches.keys().flat_map(of)
            };
            truth.compare(|a, b| matches.is_match(a, b), all)
        })?
    }
}

fn read(connection: &Connection) -> rusqlite::Result<Resident> {
    let mut resident = Resident::default();
    for Table { name, columns, read } in TABLES {
        if *name == "matched" {
            continue;
        }
        let mut statement = connection.prepare(&format!("SELECT {} FROM main.{name}", columns.join(", ")))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            resident.apply(Change { came: true, row: read(row)? });
        }
    }
    read_matches(connection, &mut resident)?;
    Ok(resident)
}

/// Reads the matches owner by owner, which takes a list at once instead of a match at a time.
fn read_matches(connection: &Connection, resident: &mut Resident) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare("SELECT owner, friend, since FROM main.matched ORDER BY owner, friend")?;
    let mut rows = statement.query([])?;
    let (mut of, mut side) = (None, Vec::new());
    loop {
        let row = rows.next()?;
        let next = row.map(|row| row.get(0).map(i64::cast_unsigned)).transpose()?;
        if let Some(owner) = of.filter(|_| of != next) {
            resident.full |= resident.matches.load_side(owner, side.drain(..)).is_err();
        }
        let Some(row) = row else { return Ok(()) };
        of = next;
        side.push((row.get::<_, i64>(1)?.cast_unsigned(), whole_seconds(row.get(2)?)));
    }
}

fn read_truth(connection: &Connection) -> rusqlite::Result<Truth> {
    let mut truth = Truth::default();
    let mut books = connection.prepare("SELECT key, keys FROM main.book")?;
    let mut books = books.query([])?;
    while let Some(row) = books.next()? {
        truth.add_book(row.get::<_, i64>(0)?.cast_unsigned(), row.get_ref(1)?.as_blob()?);
    }
    let mut hidden = connection.prepare("SELECT owner, hidden FROM main.hidden")?;
    let mut hidden = hidden.query([])?;
    while let Some(row) = hidden.next()? {
        truth.add_hidden(row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, i64>(1)?.cast_unsigned());
    }
    Ok(truth)
}
