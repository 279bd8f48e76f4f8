//! The memory at start: read from the rows, and matches held against the books by the bulk matcher.

use rusqlite::Connection;

use super::capture::{Change, Row, TABLES, Table};
use super::{Resident, Shared};
use crate::embedded::connection;
use crate::error::{Kind, StoreError};
use crate::friends::{Differences, Truth};

impl Shared {
    /// Reads the rows of the last commit.
    ///
    /// # Errors
    /// When they cannot be read, or are more than memory takes.
    pub(in crate::embedded) fn load(&self, connection: &Connection) -> Result<(), StoreError> {
        let resident = read(connection).map_err(connection::error)?;
        if resident.full {
            return Err(StoreError::new(Kind::NoSpace, "more people than the memory has ids for"));
        }
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = resident;
        Ok(())
    }

    /// Holds the matches against those that follow from the books.
    ///
    /// # Errors
    /// Damaged, when a book is not what was written.
    pub(in crate::embedded) fn compare(&self, connection: &Connection) -> Result<Differences, StoreError> {
        let truth = read_truth(connection).map_err(connection::error)?;
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
    let Some(Table { read, .. }) = TABLES.iter().find(|table| table.name == "matched") else { return Ok(()) };
    let mut statement =
        connection.prepare("SELECT owner, friend, since FROM main.matched ORDER BY owner, friend")?;
    let mut rows = statement.query([])?;
    let (mut of, mut side) = (None, Vec::new());
    loop {
        let row = rows.next()?.map(|row| read(row)).transpose()?;
        let next = match &row {
            Some(Row::Matched { owner, .. }) => Some(*owner),
            _ => None,
        };
        if let Some(owner) = of.filter(|_| of != next) {
            resident.full |= resident.matches.load_side(owner, side.drain(..)).is_err();
        }
        let Some(Row::Matched { friend, since, .. }) = row else { return Ok(()) };
        of = next;
        side.push((friend, since));
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
