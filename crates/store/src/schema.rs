//! The schema, one for both databases, and its version.

use std::cmp::Ordering;

use domain::world::World;

use crate::error::StoreError;
use crate::keys::Keys;
use crate::sql::{Sql, params};
use crate::store::OpenError;

/// The newest schema this program knows: the count of [`STEPS`].
pub(crate) const VERSION: i64 = STEPS.len() as i64;

/// Each step takes a database from one version to the next; a step is never changed once released.
pub(crate) const STEPS: &[&[&str]] = &[&[
    include_str!("../schema/core.sql"),
    include_str!("../schema/contacts.sql"),
    include_str!("../schema/exchange.sql"),
    include_str!("../schema/platform.sql"),
    include_str!("../schema/texts.sql"),
    include_str!("../schema/audit.sql"),
]];

/// Whether a database of this version can be looked at as it is.
pub(crate) fn same_version(found: i64) -> Result<(), OpenError> {
    match found.cmp(&VERSION) {
        Ordering::Less => Err(OpenError::NotBegun),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(OpenError::Newer { found, known: VERSION }),
    }
}

/// Whether the database was written under these keys; `None`: under none yet.
pub(crate) fn keys_known(sql: &mut dyn Sql, keys: &Keys) -> Result<Option<bool>, StoreError> {
    let mark = keys.hash("key check", &[]);
    let row = sql.query_one("SELECT value FROM meta WHERE name = 'keys'", &[])?;
    row.map(|row| Ok(row.blob(0)? == mark)).transpose()
}

/// Whether the database was written under these keys; a new one remembers them, and begins its audit log.
pub(crate) fn keys_fit(sql: &mut dyn Sql, keys: &Keys, world: &World) -> Result<bool, StoreError> {
    match keys_known(sql, keys)? {
        Some(fit) => Ok(fit),
        None => {
            let mark = keys.hash("key check", &[]);
            sql.execute("INSERT INTO meta (name, value) VALUES ('keys', $1)", params![mark.as_slice()])?;
            crate::audit::begin(sql, keys, world)?;
            Ok(true)
        }
    }
}
