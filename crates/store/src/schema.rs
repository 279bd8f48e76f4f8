//! The schema, one for both databases, and its version.

use crate::error::StoreError;
use crate::keys::Keys;
use crate::sql::{Sql, params};

/// The newest schema this program knows: the count of [`STEPS`].
pub(crate) const VERSION: i64 = STEPS.len() as i64;

/// Each step takes a database from one version to the next; a step is never changed once released.
pub(crate) const STEPS: &[&[&str]] = &[&[
    include_str!("../schema/core.sql"),
    include_str!("../schema/contacts.sql"),
    include_str!("../schema/exchange.sql"),
    include_str!("../schema/platform.sql"),
    include_str!("../schema/texts.sql"),
]];

/// Whether the database was written under these keys; a new one remembers them.
pub(crate) fn keys_fit(sql: &mut dyn Sql, keys: &Keys) -> Result<bool, StoreError> {
    let mark = keys.hash("key check", &[]);
    match sql.query_one("SELECT value FROM meta WHERE name = 'keys'", &[])? {
        Some(row) => Ok(row.blob(0)? == mark),
        None => {
            sql.execute("INSERT INTO meta (name, value) VALUES ('keys', $1)", params![mark.as_slice()])?;
            Ok(true)
        }
    }
}
