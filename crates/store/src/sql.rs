//! The narrow port through which every verb speaks SQL, so that each is written once for both
//! databases.
//!
//! A statement is PostgreSQL's, with `$1` parameters in order of first use and six marks that each
//! backend replaces: `{in $1}` tests membership in a list of integers, `({each $1}) w` is that list as rows
//! with a column `value`, in a schema `{serial}` is a key that counts by itself, and a `{clustered}` table is kept in the
//! order of its primary key, where that can be chosen; `{skip locked}` passes over rows that another process is about to
//! change, and `{hold}` keeps others from changing a row until the commit, where there are others. Types are `BIGINT`, `TEXT` and `BYTEA` alone; a truth is 0 or 1, a time
//! is Unix milliseconds, an id its 16 bytes.

use domain::key::ContactKey;
use jiff::Timestamp;
use uuid::Uuid;

use crate::error::StoreError;

/// One value on its way in or out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
    Ints(Vec<i64>),
}

/// One row of an answer.
pub(crate) struct Row(pub(crate) Vec<Value>);

/// One connection inside one transaction.
pub(crate) trait Sql {
    /// Runs a statement; answers how many rows it touched.
    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64, StoreError>;

    /// Runs a query; answers its rows.
    fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// What time it is to the database, in Unix milliseconds, where it has a clock of its own.
    fn clock(&mut self) -> Result<Option<i64>, StoreError>;

    /// Checks that the database is as it was written, and says what was checked.
    fn check_integrity(&mut self) -> Result<&'static str, StoreError>;

    /// Runs a query of at most one row that matters.
    fn query_one(&mut self, sql: &'static str, params: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, params)?.into_iter().next())
    }
}

impl Row {
    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.opt_int(column)?.ok_or_else(|| StoreError::damaged("a null where a number belongs"))
    }

    pub(crate) fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(column) {
            Some(Value::Int(int)) => Ok(Some(*int)),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::damaged("a column that is not a number")),
        }
    }

    pub(crate) fn bool(&self, column: usize) -> Result<bool, StoreError> {
        self.int(column).map(|int| int != 0)
    }

    pub(crate) fn text(&self, column: usize) -> Result<&str, StoreError> {
        self.opt_text(column)?.ok_or_else(|| StoreError::damaged("a null where a text belongs"))
    }

    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::damaged("a column that is not a text")),
        }
    }

    pub(crate) fn blob(&self, column: usize) -> Result<&[u8], StoreError> {
        self.opt_blob(column)?.ok_or_else(|| StoreError::damaged("a null where bytes belong"))
    }

    pub(crate) fn opt_blob(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.0.get(column) {
            Some(Value::Blob(blob)) => Ok(Some(blob)),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::damaged("a column that is not bytes")),
        }
    }

    pub(crate) fn key(&self, column: usize) -> Result<ContactKey, StoreError> {
        self.int(column).map(|int| ContactKey::from_value(int.cast_unsigned()))
    }

    pub(crate) fn time(&self, column: usize) -> Result<Timestamp, StoreError> {
        self.opt_time(column)?.ok_or_else(|| StoreError::damaged("a null where a time belongs"))
    }

    pub(crate) fn opt_time(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        let read =
            |ms| Timestamp::from_millisecond(ms).map_err(|_| StoreError::damaged("a time out of range"));
        self.opt_int(column)?.map(read).transpose()
    }

    pub(crate) fn uuid(&self, column: usize) -> Result<Uuid, StoreError> {
        Uuid::from_slice(self.blob(column)?).map_err(|_| StoreError::damaged("an id that is not 16 bytes"))
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Self::Int(int)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Int(truth.into())
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(blob: Vec<u8>) -> Self {
        Self::Blob(blob)
    }
}

impl From<&[u8]> for Value {
    fn from(blob: &[u8]) -> Self {
        Self::Blob(blob.to_vec())
    }
}

impl From<ContactKey> for Value {
    fn from(key: ContactKey) -> Self {
        Self::Int(key.value().cast_signed())
    }
}

impl From<&[ContactKey]> for Value {
    fn from(keys: &[ContactKey]) -> Self {
        Self::Ints(keys.iter().map(|key| key.value().cast_signed()).collect())
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Int(time.as_millisecond())
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Blob(id.as_bytes().to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(option: Option<T>) -> Self {
        option.map_or(Self::Null, Into::into)
    }
}

/// Turns a list of Rust values into parameters.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::sql::Value::from($value)),*] };
}
pub(crate) use params;
