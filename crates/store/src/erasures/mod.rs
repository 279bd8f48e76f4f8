//! Who was erased, so that a restored backup erases them again.
//!
//! Each erasure has a row, written in its own commit, and a line in a journal beside the key file, which is
//! durable before the erasure is acknowledged. A database that lacks a row whose line the journal has is an
//! older one: the next start erases again. A line that the journal lacks, since the process died between the
//! two, is written from the row. Both hold the person as a sealed contact key alone.

mod journal;

use domain::Msisdn;
use domain::key::ContactKey;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::backend::Tools;
use crate::error::StoreError;
use crate::keys::{Keys, Purpose};
use crate::sql::{Row, params};
use crate::store::room;

pub(crate) use journal::Journal;

room! {
    /// Reads who was erased.
    ErasuresView,
    /// Writes down who was erased.
    ErasuresTx
}

/// What was erased of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Erased {
    /// The account, as its person wished.
    Account,
    /// Account and customer, for the number's new owner.
    Owner,
    /// What the platform had of the customer.
    Customer,
}

impl Erased {
    const ALL: [Self; 3] = [Self::Account, Self::Owner, Self::Customer];

    /// The word at rest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Owner => "owner",
            Self::Customer => "customer",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.word() == word)
    }
}

/// One erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// Its id; the platform's part of an erasure has the same.
    pub id: Uuid,
    /// What was erased.
    pub what: Erased,
    /// Of whom.
    pub key: ContactKey,
    /// When: what came to be later stays.
    pub at: Timestamp,
}

impl Erasure {
    /// The moment from which on nothing is touched by it: the next millisecond, in which times are kept.
    pub fn until(&self) -> Timestamp {
        self.at.checked_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX)
    }
}

/// An erasure as it rests: whose it was is sealed, or forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: Uuid,
    pub(crate) what: Erased,
    pub(crate) at: Timestamp,
    pub(crate) who: Option<Vec<u8>>,
}

impl Kept {
    /// What the sealed key is bound to.
    fn bound(id: Uuid, what: Erased) -> Vec<u8> {
        [id.as_bytes().as_slice(), what.word().as_bytes()].concat()
    }

    /// As it rests.
    pub(crate) fn of(erasure: &Erasure, tools: &Tools) -> Self {
        let Erasure { id, what, key, at } = *erasure;
        let (bound, plain) = (Self::bound(id, what), key.value().to_be_bytes());
        Self { id, what, at, who: Some(tools.keys.seal(&tools.world, Purpose::Erasure, &bound, &plain)) }
    }

    /// Opens whose it was; `None` when that is forgotten.
    pub(crate) fn open(&self, keys: &Keys) -> Result<Option<Erasure>, StoreError> {
        let Some(who) = &self.who else { return Ok(None) };
        let Self { id, what, at, .. } = *self;
        let plain = keys.open(Purpose::Erasure, &Self::bound(id, what), who)?;
        let value = plain.try_into().map_err(|_| StoreError::damaged("an erasure of no key"))?;
        Ok(Some(Erasure { id, what, key: ContactKey::from_value(u64::from_be_bytes(value)), at }))
    }
}

impl ErasuresTx<'_> {
    /// Writes an erasure down, in the commit that erases.
    ///
    /// # Errors
    /// The store's.
    pub fn record(&mut self, what: Erased, key: ContactKey) -> Result<Erasure, StoreError> {
        let erasure = Erasure { id: self.world.uuid(), what, key, at: self.world.now() };
        self.record_again(&erasure)?;
        Ok(erasure)
    }

    /// Writes an erasure down that a journal, or another part of it, names; `false` when it stands there.
    ///
    /// # Errors
    /// The store's.
    pub fn record_again(&mut self, erasure: &Erasure) -> Result<bool, StoreError> {
        let Erasure { id, what, key, at } = *erasure;
        let bound = Kept::bound(id, what);
        let who = self.view.keys.seal(self.world, Purpose::Erasure, &bound, &key.value().to_be_bytes());
        let written = self.view.sql.execute(
            "INSERT INTO erasure (id, what, who, at) VALUES ($1, $2, $3, $4) ON CONFLICT (id, what) DO NOTHING",
            params![id, what.word(), who, at],
        )?;
        Ok(written == 1)
    }
}

impl ErasuresView<'_> {
    /// An erasure and the number it is about; `None` when there is no such one, or whose it was is forgotten.
    ///
    /// # Errors
    /// The store's.
    pub fn find(&mut self, id: Uuid, what: Erased) -> Result<Option<(Erasure, Msisdn)>, StoreError> {
        let row = self.sql.query_one(
            "SELECT id, what, at, who FROM erasure WHERE id = $1 AND what = $2",
            params![id, what.word()],
        )?;
        let Some(kept) = row.as_ref().map(read_kept).transpose()? else { return Ok(None) };
        let Some(erasure) = kept.open(self.keys)? else { return Ok(None) };
        Ok(Some((erasure, self.keys.number_of(erasure.key)?)))
    }

    /// All of them.
    pub(crate) fn list(&mut self) -> Result<Vec<Kept>, StoreError> {
        let rows = self.sql.query("SELECT id, what, at, who FROM erasure ORDER BY at, id", &[])?;
        rows.iter().map(read_kept).collect()
    }
}

fn read_kept(row: &Row) -> Result<Kept, StoreError> {
    Ok(Kept {
        id: row.uuid(0)?,
        what: Erased::parse(row.text(1)?)
            .ok_or_else(|| StoreError::damaged("an erasure of no known kind"))?,
        at: row.time(2)?,
        who: row.opt_blob(3)?.map(<[u8]>::to_vec),
    })
}
