//! The secrets: what turns numbers into keys, seals what must be readable again, and hashes what need not
//! be. All come from one seed, which the database keeps sealed under the master key in the key file: neither
//! of the two alone tells anything.

mod master;
mod rights;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use domain::Msisdn;
use domain::key::{ContactKey, ContactKeys, HomePlan};
use domain::world::World;

pub use self::master::{KeyFileError, MasterKey};
use crate::error::StoreError;

/// All secrets of one installation.
#[derive(Clone)]
pub struct Keys {
    master: MasterKey,
    seed: [u8; 32],
    contact: ContactKeys,
    seal: Aes256GcmSiv,
    hash: [u8; 32],
}

/// What a sealed value is for; a value sealed for one purpose does not open for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A subscriber's or customer's own number.
    Number,
    /// The body of a text.
    Body,
    /// The code of an open confirmation.
    Code,
    /// A share's id as one viewer sees it.
    ShareId,
    /// What a listener at the hub is told.
    HubEvent,
    /// The secret of the audit log's hashes.
    AuditKey,
    /// What makes one person's pseudonyms in the audit log.
    AuditSalt,
    /// What a person calls a device.
    Device,
    /// Where a listener at the hub is told: its end may be a secret.
    HubCallback,
    /// Whose erasure it was.
    Erasure,
}

impl Purpose {
    fn word(self) -> &'static [u8] {
        match self {
            Self::Number => b"number",
            Self::Body => b"body",
            Self::Code => b"code",
            Self::ShareId => b"share-id",
            Self::HubEvent => b"hub-event",
            Self::AuditKey => b"audit-key",
            Self::AuditSalt => b"audit-salt",
            Self::Device => b"device",
            Self::HubCallback => b"hub-callback",
            Self::Erasure => b"erasure",
        }
    }
}

const NONCE_BYTES: usize = 12;

impl Keys {
    fn from_seed(seed: &[u8; 32], master: MasterKey) -> Self {
        let derive = |context: &str| blake3::derive_key(context, seed);
        let contact = derive("hutong 2026 contact key");
        let mut half = [0; 16];
        half.copy_from_slice(&contact[..16]);
        Self {
            master,
            seed: *seed,
            contact: ContactKeys::new(half, HomePlan::CHINA_MOBILE),
            seal: Aes256GcmSiv::new(&derive("hutong 2026 seal").into()),
            hash: derive("hutong 2026 hash"),
        }
    }

    /// Throws the seed of a new installation.
    pub(crate) fn fresh(world: &World, master: MasterKey) -> Self {
        Self::from_seed(&world.bytes(), master)
    }

    /// The keys whose seed the master key opens; `None` when it is the wrong one.
    pub(crate) fn unlock(sealed: &[u8], master: MasterKey) -> Option<Self> {
        master.open(sealed).map(|seed| Self::from_seed(&seed, master))
    }

    /// The seed as the database keeps it; `None` when the master key was never read.
    pub(crate) fn locked(&self, world: &World) -> Option<Vec<u8>> {
        self.master.seal(world, &self.seed)
    }

    /// Writes a new secret into the key file, beside the one that opens the seed as it is kept now, and
    /// seals the seed under it. `None` when the file has no secret that opens it: another process has
    /// exchanged it, under a key file of its own.
    pub(crate) fn prepare_rotation(
        &self,
        world: &World,
        kept: &[u8],
    ) -> Result<Option<Vec<u8>>, KeyFileError> {
        // Read anew: an earlier rotation may have been broken off, or been another process's.
        if !self.reread_rotation(world, kept)? {
            return Ok(None);
        }
        self.master.prepare(world, &self.seed).map(Some)
    }

    /// See [`MasterKey::reread`].
    pub(crate) fn reread_rotation(&self, world: &World, kept: &[u8]) -> Result<bool, KeyFileError> {
        self.master.reread(world, kept)
    }

    /// See [`MasterKey::lock`].
    pub(crate) fn lock_rotation(&self) -> Result<Option<std::fs::File>, KeyFileError> {
        self.master.lock()
    }

    /// Ends a rotation in the key file, which the database has taken, or which was broken off.
    pub(crate) fn settle_rotation(&self) -> Result<(), KeyFileError> {
        self.master.settle()
    }

    /// See [`MasterKey::is_in_exchange`].
    pub(crate) fn is_in_exchange(&self) -> bool {
        self.master.is_in_exchange()
    }

    /// The key of a number.
    pub fn contact_key(&self, number: Msisdn) -> ContactKey {
        self.contact.key(number)
    }

    /// The number that a contact key stands for.
    pub(crate) fn number_of(&self, key: ContactKey) -> Result<Msisdn, StoreError> {
        self.contact.number(key).ok_or_else(|| StoreError::damaged("a key that no number has"))
    }

    /// Seals bytes so that only these keys, this purpose and this owner open them.
    pub fn seal(&self, world: &World, purpose: Purpose, owner: &[u8], plain: &[u8]) -> Vec<u8> {
        self.seal_with_nonce(world.bytes(), purpose, owner, plain)
    }

    fn seal_with_nonce(
        &self,
        nonce: [u8; NONCE_BYTES],
        purpose: Purpose,
        owner: &[u8],
        plain: &[u8],
    ) -> Vec<u8> {
        let aad = [purpose.word(), b"/", owner].concat();
        let payload = Payload { msg: plain, aad: &aad };
        // The library fails only on inputs of many gigabytes; limits keep ours far below.
        let sealed = self.seal.encrypt(&Nonce::from(nonce), payload).unwrap_or_default();
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens sealed bytes.
    ///
    /// # Errors
    /// Damaged, when they were sealed otherwise or a byte has changed.
    pub fn open(&self, purpose: Purpose, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let damaged = || StoreError::damaged("a sealed value that does not open");
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(damaged)?;
        let aad = [purpose.word(), b"/", owner].concat();
        let payload = Payload { msg: sealed, aad: &aad };
        self.seal.decrypt(&Nonce::from(*nonce), payload).map_err(|_| damaged())
    }

    /// A share's id for one viewer: the same each time, unlike any other viewer's, telling nothing. It
    /// holds the version of the offering on the card, so that a tap orders what was seen.
    ///
    /// The AEAD's synthetic nonce makes sealing twice the same safe to repeat (RFC 8452, section 1).
    pub fn share_id(&self, viewer: ContactKey, share: i64, version: i64) -> String {
        let plain = [share.to_be_bytes(), version.to_be_bytes()].concat();
        let owner = viewer.value().to_be_bytes();
        let sealed = self.seal_with_nonce([0; NONCE_BYTES], Purpose::ShareId, &owner, &plain);
        // A letter in front: no id begins with a dash, which a command line would take for a flag.
        format!("s{}", BASE64.encode(&sealed[NONCE_BYTES..]))
    }

    /// The share, and the offering's version, behind an id, when it is one of this viewer's.
    pub fn open_share_id(&self, viewer: ContactKey, id: &str) -> Option<(i64, i64)> {
        let sealed = [vec![0; NONCE_BYTES], BASE64.decode(id.strip_prefix('s')?).ok()?].concat();
        let plain = self.open(Purpose::ShareId, &viewer.value().to_be_bytes(), &sealed).ok()?;
        let (share, version) = plain.split_first_chunk::<8>()?;
        Some((i64::from_be_bytes(*share), i64::from_be_bytes(version.try_into().ok()?)))
    }

    /// An operator's token that whoever can read the key file has: see [`MasterKey::operator_token`].
    pub fn operator_token(&self) -> Option<String> {
        self.master.operator_token()
    }

    /// The hash under which a token, a code or a body is kept; `what` keeps uses apart.
    pub fn hash(&self, what: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.hash);
        for part in std::iter::once(&what.as_bytes()).chain(parts) {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        hasher.finalize().into()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}
