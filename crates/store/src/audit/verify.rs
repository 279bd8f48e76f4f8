//! Finds any change, reordering or truncation of the log.

use std::collections::BTreeMap;
use std::fmt;

use subtle::ConstantTimeEq;

use super::chain::{AuditKey, AuditRow, CHAINS, GENESIS, Head};
use super::heads::Heads;

/// A log that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How many rows it has.
    pub rows: i64,
}

/// Where a log does not hold any more, in the order of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The chain.
    pub chain: i64,
    /// The row's place there.
    pub seq: i64,
}

/// The first thing wrong with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Rows that held before.
    pub rows: i64,
    /// Where; `None`: the log as a whole.
    pub place: Option<Place>,
    /// What.
    pub what: &'static str,
}

impl Fault {
    pub(super) fn whole(what: &'static str) -> Self {
        Self { rows: 0, place: None, what }
    }

    pub(super) fn at(chain: i64, seq: i64, what: &'static str) -> Self {
        Self { rows: 0, place: Some(Place { chain, seq }), what }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(Place { chain, seq }) => write!(f, "chain {chain}, row {seq}: {}", self.what),
            None => f.write_str(self.what),
        }
    }
}

/// Takes the rows of a log in order of chain and place, and says what is wrong with the first that is.
pub struct Verifier {
    keys: BTreeMap<i64, AuditKey>,
    heads: Heads,
    kept: Vec<Heads>,
    ends: BTreeMap<i64, End>,
    rows: i64,
}

/// How far a chain was read.
#[derive(Clone, Copy)]
struct End {
    count: i64,
    hash: [u8; 32],
    generation: i64,
}

const START: End = End { count: 0, hash: GENESIS, generation: 0 };

impl Verifier {
    /// A verifier with the log's keys, its own heads, and heads kept elsewhere, each of which must be
    /// part of it.
    ///
    /// # Errors
    /// A head that is missing or not genuine.
    pub fn new(keys: Vec<AuditKey>, heads: Heads, kept: Vec<Heads>) -> Result<Self, Fault> {
        let keys: BTreeMap<_, _> = keys.into_iter().map(|key| (key.generation(), key)).collect();
        if keys.is_empty() {
            return Err(Fault::whole("the log has no key"));
        }
        let genuine = |head: &Head| keys.get(&head.generation).is_some_and(|key| head.is_genuine(key));
        for (heads, missing, forged) in std::iter::once((
            &heads,
            "a head is missing from the database",
            "the head in the database is not genuine",
        ))
        .chain(kept.iter().map(|heads| {
            (heads, "a head is missing from those kept elsewhere", "a head kept elsewhere is not this log's")
        })) {
            if !heads.is_whole() {
                return Err(Fault::whole(missing));
            }
            if let Some(head) = heads.all().iter().find(|head| !genuine(head)) {
                return Err(Fault::at(head.chain, head.count, forged));
            }
        }
        Ok(Self { keys, heads, kept, ends: BTreeMap::new(), rows: 0 })
    }

    /// Checks the next row.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn take(&mut self, row: &AuditRow) -> Result<(), Fault> {
        let rows = self.rows;
        let fault = |what| Fault { rows, ..Fault::at(row.chain, row.seq, what) };
        if !(0..CHAINS).contains(&row.chain) {
            return Err(fault("there is no such chain"));
        }
        let end = self.ends.entry(row.chain).or_insert(START);
        if row.seq != end.count + 1 {
            return Err(fault("rows before it are missing, or it stands there twice"));
        }
        let Some(key) = self.keys.get(&row.generation).filter(|_| row.generation >= end.generation) else {
            return Err(fault("its key is not the one in use at its time"));
        };
        if row.previous != end.hash {
            return Err(fault("it does not follow from the row before"));
        }
        let hash = key.row_hash(row);
        if !bool::from(hash.ct_eq(&row.hash)) {
            return Err(fault("it was changed, or not written by hutong"));
        }
        *end = End { count: row.seq, hash, generation: row.generation };
        let covers = |head: &&Head| head.chain == row.chain && head.count == row.seq;
        if self.kept.iter().flat_map(Heads::all).filter(covers).any(|head| head.hash != hash) {
            return Err(fault("a head kept elsewhere knows another row here"));
        }
        self.rows += 1;
        Ok(())
    }

    /// Checks the ends, when all rows were taken; `stored` is how many the database counts.
    ///
    /// # Errors
    /// What is wrong with the ends.
    pub fn finish(&self, stored: i64) -> Result<Verified, Fault> {
        let fault = |chain, seq, what| Fault { rows: self.rows, ..Fault::at(chain, seq, what) };
        for head in self.heads.all() {
            let end = self.ends.get(&head.chain).copied().unwrap_or(START);
            if (head.count, head.hash) != (end.count, end.hash) || head.generation < end.generation {
                return Err(fault(head.chain, end.count, "the chain ends here, and its head says otherwise"));
            }
        }
        for head in self.kept.iter().flat_map(Heads::all) {
            let end = self.ends.get(&head.chain).copied().unwrap_or(START);
            if head.count > end.count {
                return Err(fault(
                    head.chain,
                    end.count,
                    "the chain was cut off here: a head kept elsewhere knows more",
                ));
            }
            if head.count == 0 && head.hash != GENESIS {
                return Err(fault(head.chain, 0, "a head kept elsewhere knows another beginning"));
            }
        }
        if stored != self.rows {
            let what = "the database counts other rows than it gives out";
            return Err(Fault { rows: self.rows, ..Fault::whole(what) });
        }
        Ok(Verified { rows: self.rows })
    }
}
