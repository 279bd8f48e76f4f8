//! Rows, heads, and the keyed hashes that hold them together.

use subtle::ConstantTimeEq;

/// How many chains there are: few, so that heads are small; more than one, so that two writes on
/// PostgreSQL seldom wait for the same head.
pub const CHAINS: i64 = 16;

/// What stands before the first row of a chain.
pub(super) const GENESIS: [u8; 32] = [0; 32];

/// One row of the log, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Which chain.
    pub chain: i64,
    /// Its place there, from 1.
    pub seq: i64,
    /// When, in Unix milliseconds.
    pub at: i64,
    /// Who acted: `subscriber`, `platform`, `local`, or `operator/` and the name of a token.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// The pseudonym of whom it concerns.
    pub subject: Option<Vec<u8>>,
    /// More about it, as JSON.
    pub detail: String,
    /// Which audit key made the hash.
    pub generation: i64,
    /// The hash of the row before.
    pub previous: Vec<u8>,
    /// The keyed hash of all the above.
    pub hash: Vec<u8>,
}

/// The chain of a subject, or of an actor where there is none.
pub(super) fn of(subject: &[u8]) -> i64 {
    let byte = blake3::hash(subject).as_bytes()[0];
    i64::from(byte) % CHAINS
}

/// The secret of one generation of hashes.
#[derive(Clone)]
pub struct AuditKey {
    generation: i64,
    secret: [u8; 32],
}

impl AuditKey {
    /// A key of a generation.
    pub fn new(generation: i64, secret: [u8; 32]) -> Self {
        Self { generation, secret }
    }

    /// Which generation.
    pub fn generation(&self) -> i64 {
        self.generation
    }

    /// The hash of a row, whatever stands in its own place for it.
    pub fn row_hash(&self, row: &AuditRow) -> [u8; 32] {
        // An absent subject differs from an empty one.
        let subject = row.subject.as_deref();
        self.hash(
            "audit row",
            &[
                &row.chain.to_le_bytes(),
                &row.seq.to_le_bytes(),
                &row.at.to_le_bytes(),
                row.actor.as_bytes(),
                row.action.as_bytes(),
                &[u8::from(subject.is_some())],
                subject.unwrap_or_default(),
                row.detail.as_bytes(),
                &row.generation.to_le_bytes(),
                &row.previous,
            ],
        )
    }

    fn hash(&self, what: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        for part in std::iter::once(&what.as_bytes()).chain(parts) {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        hasher.finalize().into()
    }
}

impl std::fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuditKey({}, …)", self.generation)
    }
}

/// Where a chain ends: so many rows, the last of them with this hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Which chain.
    pub chain: i64,
    /// How many rows it has.
    pub count: i64,
    /// The hash of the last.
    pub hash: [u8; 32],
    /// Which audit key made the next.
    pub generation: i64,
    /// A keyed hash of all the above.
    pub mac: [u8; 32],
}

impl Head {
    /// The head of a chain under a key.
    pub(crate) fn of(key: &AuditKey, chain: i64, count: i64, hash: [u8; 32]) -> Self {
        let mut head = Self { chain, count, hash, generation: key.generation, mac: [0; 32] };
        head.mac = head.mac_under(key);
        head
    }

    /// Whether this key made it.
    pub fn is_genuine(&self, key: &AuditKey) -> bool {
        self.generation == key.generation && bool::from(self.mac_under(key).ct_eq(&self.mac))
    }

    fn mac_under(&self, key: &AuditKey) -> [u8; 32] {
        key.hash(
            "audit head",
            &[
                &self.chain.to_le_bytes(),
                &self.count.to_le_bytes(),
                &self.hash,
                &self.generation.to_le_bytes(),
            ],
        )
    }
}
