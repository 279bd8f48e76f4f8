//! The schema, one for both databases, and its version.

use std::cmp::Ordering;

use domain::world::World;
use jiff::Timestamp;

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

/// The keys of a database that has them. The connection must see what is committed meanwhile.
pub(crate) fn known_keys(sql: &mut dyn Sql, master: &MasterKey, world: &World) -> Result<Keys, OpenError> {
    let mut sealed = find_seed(sql)?.ok_or(OpenError::NotBegun)?;
    loop {
        master.load(false, world)?;
        if let Some(keys) = Keys::unlock(&sealed, master.clone()) {
            return Ok(keys);
        }
        // A rotation may have come between the two looks. Only where the seed is sealed as before is the
        // file, read in between, another's.
        let now = load_seed(sql)?;
        if now == sealed {
            return Err(OpenError::WrongKeys(master.file().to_owned()));
        }
        sealed = now;
    }
}

/// The keys of a database; a new one gets its own, and begins its audit log. Only for a new one may the key
/// file be made.
pub(crate) fn keys_of(sql: &mut dyn Sql, master: &MasterKey, world: &World) -> Result<Keys, OpenError> {
    if find_seed(sql)?.is_some() {
        return known_keys(sql, master, world);
    }
    master.load(true, world)?;
    let keys = Keys::fresh(world, master.clone());
    let sealed = keys.locked(world).ok_or_else(|| OpenError::WrongKeys(master.file().to_owned()))?;
    let reign = Reign { since: world.now(), rotations: 0, old_seal_stands: false };
    sql.execute("INSERT INTO meta (name, value) VALUES ('seed', $1)", params![sealed])?;
    sql.execute("INSERT INTO meta (name, value) VALUES ('reign', $1)", params![reign.to_bytes()])?;
    crate::audit::begin(sql, &keys, world)?;
    Ok(keys)
}

/// What the database says of the master key that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reign {
    /// In force since.
    pub since: Timestamp,
    /// How often the master key was exchanged.
    pub rotations: u64,
    /// Whether the seed as the key before sealed it may still lie about in the database's files.
    pub old_seal_stands: bool,
}

impl Reign {
    fn to_bytes(self) -> Vec<u8> {
        let Self { since, rotations, old_seal_stands } = self;
        let (since, stands) = (since.as_millisecond().to_le_bytes(), u8::from(old_seal_stands));
        [since.as_slice(), &rotations.to_le_bytes(), &[stands]].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (since, rest) = bytes.split_first_chunk()?;
        let (rotations, stands) = rest.split_first_chunk()?;
        Some(Self {
            since: Timestamp::from_millisecond(i64::from_le_bytes(*since)).ok()?,
            rotations: u64::from_le_bytes(*rotations),
            old_seal_stands: *stands == [1],
        })
    }
}

/// What the database says of the master key that is in force.
pub(crate) fn load_reign(sql: &mut dyn Sql) -> Result<Reign, StoreError> {
    let row = sql.query_one("SELECT value FROM meta WHERE name = 'reign'", &[])?;
    let reign = row.map(|row| row.blob(0).map(Reign::from_bytes)).transpose()?.flatten();
    reign.ok_or_else(|| StoreError::damaged("a database that does not say since when its key is in force"))
}

fn put_reign(sql: &mut dyn Sql, reign: Reign) -> Result<(), StoreError> {
    sql.execute("UPDATE meta SET value = $1 WHERE name = 'reign'", params![reign.to_bytes()]).map(drop)
}

/// Writes down that the old seal is overwritten; nothing when that is known.
pub(crate) fn forget_old_seal(sql: &mut dyn Sql) -> Result<(), StoreError> {
    let reign = load_reign(sql)?;
    if reign.old_seal_stands { put_reign(sql, Reign { old_seal_stands: false, ..reign }) } else { Ok(()) }
}

/// Puts the seed, sealed under another secret, in place of what it is now; `false` when another process
/// was first.
pub(crate) fn replace_seed(
    sql: &mut dyn Sql,
    before: &[u8],
    after: &[u8],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let replaced =
        sql.execute("UPDATE meta SET value = $1 WHERE name = 'seed' AND value = $2", params![after, before])?;
    if replaced == 1 {
        let rotations = load_reign(sql)?.rotations + 1;
        put_reign(sql, Reign { since: now, rotations, old_seal_stands: true })?;
    }
    Ok(replaced == 1)
}

/// The seed as it is kept now.
pub(crate) fn load_seed(sql: &mut dyn Sql) -> Result<Vec<u8>, StoreError> {
    find_seed(sql)?.ok_or_else(|| StoreError::damaged("a database without its sealed seed"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::world::{SeededDice, SetClock};

    use super::*;
    use crate::sql::{Row, Value};

    /// A database whose seed is sealed anew after each look at it, as long as there is another seal.
    struct Rotating(Vec<Vec<u8>>);

    impl Sql for Rotating {
        fn execute(&mut self, _: &'static str, _: &[Value]) -> Result<u64, StoreError> {
            Ok(0)
        }

        fn query(&mut self, _: &'static str, _: &[Value]) -> Result<Vec<Row>, StoreError> {
            let seal = if self.0.len() > 1 { self.0.remove(0) } else { self.0[0].clone() };
            Ok(vec![Row(vec![Value::Blob(seal)])])
        }

        fn clock(&mut self) -> Result<Option<i64>, StoreError> {
            Ok(None)
        }

        fn check_integrity(&mut self) -> Result<&'static str, StoreError> {
            Ok("")
        }
    }

    #[test]
    fn a_rotation_between_the_looks_at_the_seed_and_at_the_key_file_is_no_wrong_key() {
        let world = World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(1)));
        let seal = |secret| Keys::fresh(&world, MasterKey::from_secret(secret)).locked(&world).unwrap();
        let (first, second, third) = (seal([1; 32]), seal([2; 32]), seal([3; 32]));
        // The file is read when the database has gone on already.
        let last = MasterKey::from_secret([3; 32]);
        let mut sql = Rotating(vec![first.clone(), second, third]);
        assert!(known_keys(&mut sql, &last, &world).is_ok());
        let opened = known_keys(&mut Rotating(vec![first]), &last, &world);
        assert!(matches!(opened, Err(OpenError::WrongKeys(_))));
    }
}
