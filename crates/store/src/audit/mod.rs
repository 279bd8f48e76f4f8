//! The audit log: every decision and every action of an operator, in the commit that makes it.
//!
//! The rows form a few chains; each row carries a keyed hash over itself and the row before, and each
//! chain a head under a keyed hash of its own. Whoever can write to the database but has not the key
//! file can make no row, no head and no shorter log that [`Verifier`] takes for genuine; an older state
//! of the whole database, put back, is told by a head kept elsewhere ([`Heads`]). Whoever has the key
//! file as well can write what they like from there on, and cannot change what a head kept out of their
//! reach covers.
//!
//! A person stands in the log under a pseudonym made from a salt of their own; [`AuditTx::unlink`]
//! deletes the salt, and the rows stay, about nobody.

mod chain;
mod entry;
mod heads;
mod keeper;
mod people;
mod refusals;
mod verify;

use domain::key::ContactKey;
use domain::world::World;
use jiff::Timestamp;

use crate::error::StoreError;
use crate::keys::{Keys, Purpose};
use crate::sql::{Row, Sql, params};
use crate::store::room;

pub use chain::{AuditKey, AuditRow, CHAINS, Head};
pub use entry::{Actor, AuditAction, AuditEntry};
pub use heads::{HeadFault, Heads};
pub(crate) use keeper::{Keeper, head_files};
pub use refusals::Refusals;
pub use verify::{Fault, Place, Verified, Verifier};

room! {
    /// Reads the audit log.
    AuditView,
    /// Appends to the audit log.
    AuditTx
}

/// Rows that are read at once: some hundred kilobytes.
const ROWS_A_READ: usize = 1_000;

/// Begins the log of a new database: its first key, and a head for each empty chain, so that a log cut
/// off whole is missed.
pub(crate) fn begin(sql: &mut dyn Sql, keys: &Keys, world: &World) -> Result<(), StoreError> {
    let key = insert_key(sql, keys, world, 1)?;
    for chain in 0..CHAINS {
        let head = Head::of(&key, chain, 0, chain::GENESIS);
        sql.execute(
            "INSERT INTO audit_head (chain, count, hash, generation, mac) VALUES ($1, $2, $3, $4, $5)",
            params![chain, 0_i64, head.hash.as_slice(), head.generation, head.mac.as_slice()],
        )?;
    }
    Ok(())
}

fn insert_key(
    sql: &mut dyn Sql,
    keys: &Keys,
    world: &World,
    generation: i64,
) -> Result<AuditKey, StoreError> {
    let secret: [u8; 32] = world.bytes();
    let sealed = keys.seal(world, Purpose::AuditKey, &generation.to_be_bytes(), &secret);
    sql.execute("INSERT INTO audit_key (generation, key) VALUES ($1, $2)", params![generation, sealed])?;
    Ok(AuditKey::new(generation, secret))
}

impl AuditTx<'_> {
    /// Writes one entry down; it is durable with the rest of this write, or not at all.
    ///
    /// # Errors
    /// The store's; a log whose key or head is damaged takes nothing more, and so stops what it is for.
    pub fn append(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let (subject, detail) = self.pseudonymous(entry)?;
        let chain =
            chain::of(subject.as_ref().map_or(entry.actor_word().as_bytes(), |bytes| bytes.as_slice()));
        self.append_to(chain, &entry.actor_word(), entry.action(), subject, detail)
    }

    fn append_to(
        &mut self,
        chain: i64,
        actor: &str,
        action: AuditAction,
        subject: Option<[u8; 16]>,
        detail: String,
    ) -> Result<(), StoreError> {
        let row = self.view.sql.query_one(
            "SELECT h.count, h.hash, h.generation, k.key FROM audit_head h JOIN audit_key k ON k.generation = h.generation
             WHERE h.chain = $1",
            params![chain],
        )?;
        let row = row.ok_or_else(|| StoreError::damaged("the audit log has lost a head or a key"))?;
        let key = self.view.open_key(row.int(2)?, row.blob(3)?)?;
        let count = row.int(0)?;
        let mut entry = AuditRow {
            chain,
            seq: count + 1,
            at: self.world.now().as_millisecond(),
            actor: actor.to_owned(),
            action: action.word().to_owned(),
            subject: subject.map(|bytes| bytes.to_vec()),
            detail,
            generation: key.generation(),
            previous: row.blob(1)?.to_vec(),
            hash: Vec::new(),
        };
        entry.hash = key.row_hash(&entry).to_vec();
        self.insert_row(&entry)?;
        let head = Head::of(&key, chain, entry.seq, key.row_hash(&entry));
        let moved = self.view.sql.execute(
            "UPDATE audit_head SET count = $1, hash = $2, mac = $3 WHERE chain = $4 AND count = $5",
            params![head.count, head.hash.as_slice(), head.mac.as_slice(), chain, count],
        )?;
        if moved != 1 {
            return Err(StoreError::new(crate::error::Kind::Contended, "another entry came first"));
        }
        self.effects.audit.push(head);
        Ok(())
    }

    fn insert_row(&mut self, row: &AuditRow) -> Result<(), StoreError> {
        self.view.sql.execute(
            "INSERT INTO audit (chain, seq, at, actor, action, subject, detail, generation, previous, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            params![
                row.chain,
                row.seq,
                row.at,
                row.actor.as_str(),
                row.action.as_str(),
                row.subject.clone(),
                row.detail.as_str(),
                row.generation,
                row.previous.clone(),
                row.hash.clone(),
            ],
        )?;
        Ok(())
    }

    /// Begins a new audit key, which each chain says in a row of its own: from there on whoever has the
    /// former keys alone can append nothing. A rotation of the installation's keys ends with it.
    ///
    /// # Errors
    /// The store's.
    pub fn begin_generation(&mut self, actor: &Actor) -> Result<(), StoreError> {
        let newest = self.view.sql.query_one("SELECT MAX(generation) FROM audit_key", &[])?;
        let generation = newest.map_or(Ok(0), |row| row.int(0))? + 1;
        let key = insert_key(self.view.sql, self.view.keys, self.world, generation)?;
        let heads = self.view.heads()?;
        for old in heads.all() {
            let head = Head::of(&key, old.chain, old.count, old.hash);
            self.view.sql.execute(
                "UPDATE audit_head SET generation = $1, mac = $2 WHERE chain = $3",
                params![generation, head.mac.as_slice(), head.chain],
            )?;
            let detail = "{}".to_owned();
            self.append_to(old.chain, &actor.word(), AuditAction::KeysRotated, None, detail)?;
        }
        Ok(())
    }
}

impl AuditView<'_> {
    fn open_key(&self, generation: i64, sealed: &[u8]) -> Result<AuditKey, StoreError> {
        let secret = self.keys.open(Purpose::AuditKey, &generation.to_be_bytes(), sealed)?;
        let secret = secret.try_into().map_err(|_| StoreError::damaged("an audit key of another size"))?;
        Ok(AuditKey::new(generation, secret))
    }

    /// The keys of all generations.
    ///
    /// # Errors
    /// Damaged, when one does not open.
    pub fn keys(&mut self) -> Result<Vec<AuditKey>, StoreError> {
        let rows = self.sql.query("SELECT generation, key FROM audit_key ORDER BY generation", &[])?;
        rows.iter().map(|row| self.open_key(row.int(0)?, row.blob(1)?)).collect()
    }

    /// Where the chains end, as the database has it.
    ///
    /// # Errors
    /// Damaged, when a head cannot be read.
    pub fn heads(&mut self) -> Result<Heads, StoreError> {
        let rows = self
            .sql
            .query("SELECT chain, count, hash, generation, mac FROM audit_head ORDER BY chain", &[])?;
        rows.iter().map(read_head).collect::<Result<Vec<_>, _>>().map(Heads::new)
    }

    /// Reads the whole log from its beginning to its end and checks it against its keys, its own heads,
    /// and heads kept elsewhere.
    ///
    /// # Errors
    /// The store's; what is wrong with the log is an answer, not an error.
    pub fn verify(&mut self, kept: &[Heads]) -> Result<Result<Verified, Fault>, StoreError> {
        let (keys, heads) = match (self.keys(), self.heads()) {
            (Ok(keys), Ok(heads)) => (keys, heads),
            (Err(error), _) | (_, Err(error)) if error.is_retryable() => return Err(error),
            _ => return Ok(Err(Fault::whole("a key or a head of the log cannot be read"))),
        };
        let mut verifier = match Verifier::new(keys, heads, kept.to_vec()) {
            Ok(verifier) => verifier,
            Err(fault) => return Ok(Err(fault)),
        };
        let stored = self.count()?;
        let (mut chain, mut seq) = (i64::MIN, i64::MIN);
        loop {
            let rows = self.sql.query(
                "SELECT chain, seq, at, actor, action, subject, detail, generation, previous, hash FROM audit
                 WHERE chain > $1 OR (chain = $2 AND seq > $3) ORDER BY chain, seq LIMIT $4",
                params![chain, chain, seq, ROWS_A_READ],
            )?;
            for row in &rows {
                let Ok(row) = read_row(row) else {
                    let what = "a row here, or the next one, cannot be read";
                    return Ok(Err(Fault::at(chain, seq, what)));
                };
                (chain, seq) = (row.chain, row.seq);
                if let Err(fault) = verifier.take(&row) {
                    return Ok(Err(fault));
                }
            }
            if rows.len() < ROWS_A_READ {
                return Ok(verifier.finish(stored));
            }
        }
    }

    /// How many rows the log has.
    ///
    /// # Errors
    /// The store's.
    pub fn count(&mut self) -> Result<i64, StoreError> {
        let row = self.sql.query_one("SELECT COUNT(*) FROM audit", &[])?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    /// When the newest rows of the chains were written; `None` for an empty log.
    ///
    /// # Errors
    /// The store's.
    pub fn newest(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let rows = self.sql.query(
            "SELECT a.at FROM audit_head h JOIN audit a ON a.chain = h.chain AND a.seq = h.count",
            &[],
        )?;
        let moments = rows.iter().map(|row| row.time(0)).collect::<Result<Vec<_>, _>>()?;
        Ok(moments.into_iter().max())
    }

    /// What the log says of a person, the oldest first; nothing once it was unlinked.
    ///
    /// # Errors
    /// The store's.
    pub fn list_of_person(&mut self, person: ContactKey) -> Result<Vec<AuditRow>, StoreError> {
        let Some(salt) = self.find_salt(person)? else { return Ok(Vec::new()) };
        self.list_of(&self.person_alias(&salt))
    }

    /// The whole log, the oldest first in each chain; for tests and for handing it on.
    ///
    /// # Errors
    /// The store's.
    pub fn list_all(&mut self) -> Result<Vec<AuditRow>, StoreError> {
        let rows = self.sql.query(
            "SELECT chain, seq, at, actor, action, subject, detail, generation, previous, hash FROM audit ORDER BY chain, seq",
            &[],
        )?;
        rows.iter().map(read_row).collect()
    }

    /// The newest rows of the log, at most so many, the oldest of them first.
    ///
    /// # Errors
    /// The store's.
    pub fn list_newest(&mut self, count: usize) -> Result<Vec<AuditRow>, StoreError> {
        let mut newest = Vec::new();
        for chain in 0..CHAINS {
            let rows = self.sql.query(
                "SELECT chain, seq, at, actor, action, subject, detail, generation, previous, hash FROM audit
                 WHERE chain = $1 ORDER BY seq DESC LIMIT $2",
                params![chain, count],
            )?;
            for row in &rows {
                newest.push(read_row(row)?);
            }
        }
        newest.sort_by_key(|row| (row.at, row.chain, row.seq));
        let older = newest.len().saturating_sub(count);
        Ok(newest.split_off(older))
    }

    fn list_of(&mut self, subject: &[u8; 16]) -> Result<Vec<AuditRow>, StoreError> {
        let rows = self.sql.query(
            "SELECT chain, seq, at, actor, action, subject, detail, generation, previous, hash FROM audit
             WHERE subject = $1 ORDER BY at, seq",
            params![subject.as_slice()],
        )?;
        rows.iter().map(read_row).collect()
    }

    /// Whether the log still holds what a head says of it: for a first look at start.
    ///
    /// # Errors
    /// The store's.
    pub fn holds(&mut self, head: &Head) -> Result<bool, StoreError> {
        let genuine = self.keys()?.iter().any(|key| head.is_genuine(key));
        if head.count == 0 {
            return Ok(genuine);
        }
        let row = self.sql.query_one(
            "SELECT hash FROM audit WHERE chain = $1 AND seq = $2",
            params![head.chain, head.count],
        )?;
        Ok(genuine && row.is_some_and(|row| row.blob(0).is_ok_and(|hash| hash == head.hash)))
    }
}

fn read_row(row: &Row) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        chain: row.int(0)?,
        seq: row.int(1)?,
        at: row.int(2)?,
        actor: row.text(3)?.to_owned(),
        action: row.text(4)?.to_owned(),
        subject: row.opt_blob(5)?.map(<[u8]>::to_vec),
        detail: row.text(6)?.to_owned(),
        generation: row.int(7)?,
        previous: row.blob(8)?.to_vec(),
        hash: row.blob(9)?.to_vec(),
    })
}

fn read_head(row: &Row) -> Result<Head, StoreError> {
    let bytes = |column| -> Result<[u8; 32], StoreError> {
        row.blob(column)?.try_into().map_err(|_| StoreError::damaged("a head of another size"))
    };
    Ok(Head {
        chain: row.int(0)?,
        count: row.int(1)?,
        hash: bytes(2)?,
        generation: row.int(3)?,
        mac: bytes(4)?,
    })
}

/// The moment of a row.
impl AuditRow {
    /// When it was written.
    pub fn moment(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
