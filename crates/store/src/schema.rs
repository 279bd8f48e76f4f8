//! The schema, one for both databases, and its version.

use std::cmp::Ordering;

use domain::world::World;

use crate::error::StoreError;
use crate::keys::{Keys, MasterKey};
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

fn find_seed(sql: &mut dyn Sql) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sql.query_one("SELECT value FROM meta WHERE name = 'seed'", &[])?;
    row.map(|row| row.blob(0).map(<[u8]>::to_vec)).transpose()
}

/// The keys of a database that has them.
pub(crate) fn known_keys(sql: &mut dyn Sql, master: &MasterKey, world: &World) -> Result<Keys, OpenError> {
    unlock(sql, master, world, false)
}

fn unlock(sql: &mut dyn Sql, master: &MasterKey, world: &World, settle: bool) -> Result<Keys, OpenError> {
    let sealed = find_seed(sql)?.ok_or(OpenError::NotBegun)?;
    master.load(false, world)?;
    Keys::unlock(&sealed, master.clone(), settle).ok_or(OpenError::WrongKeys)
}

/// The keys of a database; a new one gets its own, and begins its audit log. Only for a new one may the key
/// file be made, and only who is `alone` with it sets the file right after a rotation that was broken off.
pub(crate) fn keys_of(
    sql: &mut dyn Sql,
    master: &MasterKey,
    world: &World,
    alone: bool,
) -> Result<Keys, OpenError> {
    if find_seed(sql)?.is_some() {
        return unlock(sql, master, world, alone);
    }
    master.load(true, world)?;
    let keys = Keys::fresh(world, master.clone());
    let sealed = keys.locked(world).ok_or(OpenError::WrongKeys)?;
    sql.execute("INSERT INTO meta (name, value) VALUES ('seed', $1)", params![sealed])?;
    crate::audit::begin(sql, &keys, world)?;
    Ok(keys)
}

/// Puts the seed, sealed under another secret, in place of what it is now; `false` when another process
/// was first.
pub(crate) fn replace_seed(sql: &mut dyn Sql, before: &[u8], after: &[u8]) -> Result<bool, StoreError> {
    let replaced =
        sql.execute("UPDATE meta SET value = $1 WHERE name = 'seed' AND value = $2", params![after, before])?;
    Ok(replaced == 1)
}

/// The seed as it is kept now.
pub(crate) fn load_seed(sql: &mut dyn Sql) -> Result<Vec<u8>, StoreError> {
    find_seed(sql)?.ok_or_else(|| StoreError::damaged("a database without its sealed seed"))
}
