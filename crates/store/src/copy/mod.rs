//! A whole store as a file of lines, and back: from one database into the other, or beside running servers as a copy.
//!
//! The first line says what the file is, a line for each table names its columns, a line a row follows, and the last
//! line says how many rows there were, so that a file that broke off is found. Bytes stand in Base64. What is sealed
//! stays sealed: the file is worth nothing without the key file, and is to be kept as the database is.

mod tables;

use std::io::{self, BufRead, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use self::tables::{ROWS, TABLES, Table};
use crate::error::StoreError;
use crate::keys::MasterKey;
use crate::schema;
use crate::sql::{Row, Sql, Value};
use crate::store::{OpenError, Store};

/// The form of the file.
const FORM: i64 = 1;
/// Octets of a line at most: a cloud copy of an address book is the longest row.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The file cannot be read or written.
    #[error("the file cannot be read or written")]
    File(#[from] io::Error),
    /// The file is not what it should be.
    #[error("line {line} of the file {what}")]
    Line {
        /// Counted from one.
        line: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The file is of another version.
    #[error(
        "the file is of schema {found} and this hutong knows {known}: dump and load with the same version"
    )]
    OtherSchema {
        /// In the file.
        found: i64,
        /// Here.
        known: i64,
    },
    /// There is something in the database already.
    #[error("the database is not empty ({0}): load into a new one")]
    NotEmpty(&'static str),
    /// The key file does not open what is in the file.
    #[error("the key file does not open what was dumped")]
    Keys(#[source] Box<OpenError>),
    /// The database.
    #[error("the database cannot be read or written")]
    Store(#[from] StoreError),
}

impl Store {
    /// Writes everything that is stored into a file, over one snapshot; answers how many rows that were. `out` makes the
    /// file, from nothing each time: a read may begin anew.
    ///
    /// # Errors
    /// [`CopyError`]; then the file is not whole.
    pub async fn dump<W: Write>(
        &self,
        out: impl Fn() -> io::Result<W> + Send + 'static,
    ) -> Result<u64, CopyError> {
        self.read(move |view| write_all(view.sql(), &mut out()?)).await
    }

    /// Reads what [`Store::dump`] wrote into this store, which must be new, in one commit; answers how many rows that
    /// were. Then this store is to be closed: its keys are those of the file only when it is opened again.
    ///
    /// # Errors
    /// [`CopyError`]; then the store is as it was.
    pub async fn load<R: BufRead>(
        &self,
        master: MasterKey,
        file: impl Fn() -> io::Result<R> + Send + 'static,
    ) -> Result<u64, CopyError> {
        let world = self.tools.world.clone();
        self.write(move |tx| {
            for table in TABLES.iter() {
                let rows = tx.sql.query_one(&table.count, &[])?.map_or(Ok(0), |row| row.int(0))?;
                if rows > 0 && !tables::is_born_full(table) {
                    return Err(CopyError::NotEmpty(&table.name));
                }
                tx.sql.execute(&table.empty, &[])?;
            }
            let rows = Lines { file: file()?, number: 0 }.read_all(tx.sql)?;
            // Before it is committed: a copy that nobody can open is none.
            schema::known_keys(tx.sql, &master, &world).map_err(|error| CopyError::Keys(Box::new(error)))?;
            Ok(rows)
        })
        .await
    }
}

fn write_all(sql: &mut dyn Sql, out: &mut impl Write) -> Result<u64, CopyError> {
    line(out, &json!({ "hutong_dump": FORM, "schema": schema::VERSION }))?;
    let mut rows = 0;
    for table in TABLES.iter() {
        line(out, &json!({ "table": table.name, "columns": table.columns }))?;
        let mut page = sql.query(&table.first, &[])?;
        while let Some(Row(last)) = page.last() {
            for Row(values) in &page {
                let written = values.iter().skip(usize::from(table.counts)).map(write_value);
                line(out, &Json::Array(written.collect::<Result<_, _>>()?))?;
            }
            rows += page.len() as u64;
            let after: Vec<Value> = table.key.iter().filter_map(|place| last.get(*place)).cloned().collect();
            page = if page.len() < ROWS { Vec::new() } else { sql.query(&table.next, &after)? };
        }
    }
    line(out, &json!({ "rows": rows }))?;
    out.flush()?;
    Ok(rows)
}

fn line(out: &mut impl Write, value: &Json) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn write_value(value: &Value) -> Result<Json, StoreError> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Int(int) => json!(int),
        Value::Text(text) => json!(text),
        Value::Blob(blob) => json!({ "b": STANDARD.encode(blob) }),
        Value::Ints(_) => return Err(StoreError::damaged("a list where one value belongs")),
    })
}

fn read_value(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null => Value::Null,
        Json::Number(number) => Value::Int(number.as_i64()?),
        Json::String(text) => Value::Text(text.clone()),
        Json::Object(object) => Value::Blob(STANDARD.decode(object.get("b")?.as_str()?).ok()?),
        Json::Bool(_) | Json::Array(_) => return None,
    })
}

/// The lines of a dump.
struct Lines<R> {
    file: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    fn wrong(&self, what: &'static str) -> CopyError {
        CopyError::Line { line: self.number, what }
    }

    /// The next line; `None` at the end.
    fn next(&mut self) -> Result<Option<Json>, CopyError> {
        self.number += 1;
        let mut text = Vec::new();
        let read = io::Read::take(&mut self.file, LINE_BYTES_MAX).read_until(b'\n', &mut text)?;
        if read == 0 {
            return Ok(None);
        }
        if text.pop() != Some(b'\n') {
            return Err(self.wrong("breaks off, or is too long: copy the file again"));
        }
        serde_json::from_slice(&text).map(Some).map_err(|_| self.wrong("is not JSON"))
    }

    fn read_all(mut self, sql: &mut dyn Sql) -> Result<u64, CopyError> {
        let head = self.next()?.ok_or_else(|| self.wrong("is missing: the file is empty"))?;
        if head["hutong_dump"] != json!(FORM) {
            return Err(self.wrong("does not say that this is a dump of hutong"));
        }
        let found = head["schema"].as_i64().unwrap_or(0);
        if found != schema::VERSION {
            return Err(CopyError::OtherSchema { found, known: schema::VERSION });
        }
        let (mut rows, mut into, mut waiting) = (0, None, Vec::new());
        loop {
            let Some(said) = self.next()? else {
                return Err(self.wrong("is missing: the file broke off; dump again"));
            };
            if let Json::Array(values) = &said {
                let table: &Table = into.ok_or_else(|| self.wrong("is a row of no table"))?;
                rows += 1;
                let read: Option<Vec<Value>> = values.iter().map(read_value).collect();
                let read = read.filter(|read| table.fits(read));
                waiting.extend(read.ok_or_else(|| self.wrong("is no row of its table"))?);
                if waiting.len() == ROWS * table.columns.len() {
                    self.insert(sql, &table.insert_many, &waiting)?;
                    waiting.clear();
                }
                continue;
            }
            if let Some(table) = into.take() {
                self.insert_each(sql, table, &waiting)?;
                waiting.clear();
            }
            if let Some(told) = said["rows"].as_u64() {
                return if told == rows && self.next()?.is_none() {
                    Ok(rows)
                } else {
                    Err(self.wrong("does not agree with what came before it"))
                };
            }
            let table = TABLES.iter().find(|table| said["table"] == json!(table.name));
            let table = table.filter(|table| said["columns"] == json!(table.columns));
            into = Some(table.ok_or_else(|| self.wrong("names a table that this hutong does not know so"))?);
        }
    }

    fn insert_each(
        &self,
        sql: &mut dyn Sql,
        table: &'static Table,
        waiting: &[Value],
    ) -> Result<(), CopyError> {
        waiting.chunks(table.columns.len()).try_for_each(|row| self.insert(sql, &table.insert, row))
    }

    /// Writes rows down; what the database does not take is the file's fault where it is nobody else's.
    fn insert(&self, sql: &mut dyn Sql, statement: &'static str, values: &[Value]) -> Result<(), CopyError> {
        sql.execute(statement, values).map(drop).map_err(|error| {
            if error.is_retryable() && error.kind() != crate::Kind::Contended {
                return CopyError::Store(error);
            }
            tracing::debug!(error = &error as &dyn std::error::Error, "a row of a dump was refused");
            self.wrong("or one close before it is a row that the database does not take")
        })
    }
}
