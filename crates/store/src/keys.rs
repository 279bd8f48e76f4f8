//! The secrets outside the database: what turns numbers into keys, seals what must be readable again,
//! and hashes what need not be.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use domain::Msisdn;
use domain::key::{ContactKey, ContactKeys, HomePlan};
use domain::world::World;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// All secrets of one installation, derived from the key file's one.
#[derive(Clone)]
pub struct Keys {
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
        }
    }
}

/// Why the key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The database exists and its keys do not.
    #[error(
        "the key file {0} is missing, and without it the stored data cannot be read: put the file back from its backup, or name its place with keys.file"
    )]
    Missing(PathBuf),
    /// Not a key file.
    #[error("{0} is not a key file of hutong: put the right file back, or name its place with keys.file")]
    Unreadable(PathBuf),
    /// Others may read it.
    #[error("the key file {0} may be read by others: run chmod 600 on it")]
    OpenToOthers(PathBuf),
    /// The file system refused.
    #[error("the key file {0} cannot be read or written")]
    Io(PathBuf, #[source] io::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    hutong_keys: u32,
    secret: String,
    home_prefix: u64,
    home_digits: u32,
}

const NONCE_BYTES: usize = 12;

impl Keys {
    /// Derives all secrets from one of 256 bits.
    pub fn from_secret(secret: &[u8; 32], home: HomePlan) -> Self {
        let derive = |context: &str| blake3::derive_key(context, secret);
        let contact = derive("hutong 2026 contact key");
        let mut half = [0; 16];
        half.copy_from_slice(&contact[..16]);
        Self {
            contact: ContactKeys::new(half, home),
            seal: Aes256GcmSiv::new(&derive("hutong 2026 seal").into()),
            hash: derive("hutong 2026 hash"),
        }
    }

    /// Loads the key file; makes it, readable by its owner alone, when `may_create`.
    ///
    /// # Errors
    /// [`KeyFileError`] says what to do.
    pub fn load(path: &Path, may_create: bool, world: &World) -> Result<Self, KeyFileError> {
        let io = |error| KeyFileError::Io(path.to_owned(), error);
        match fs::read_to_string(path) {
            Ok(text) => {
                refuse_if_open_to_others(path)?;
                Self::parse(&text).ok_or_else(|| KeyFileError::Unreadable(path.to_owned()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && may_create => {
                let secret: [u8; 32] = world.bytes();
                let home = HomePlan::CHINA_MOBILE;
                match write_key_file(path, &secret, home) {
                    Ok(()) => Ok(Self::from_secret(&secret, home)),
                    // Another process was first: its keys are the keys.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        Self::load(path, false, world)
                    }
                    Err(error) => Err(io(error)),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(KeyFileError::Missing(path.to_owned()))
            }
            Err(error) => Err(io(error)),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let file: KeyFile = serde_json::from_str(text).ok()?;
        let secret: [u8; 32] = BASE64.decode(file.secret).ok()?.try_into().ok()?;
        let plan = HomePlan { prefix: file.home_prefix, digits: file.home_digits };
        (file.hutong_keys == 1 && plan.digits <= 10).then(|| Self::from_secret(&secret, plan))
    }

    /// The key of a number.
    pub fn contact_key(&self, number: Msisdn) -> ContactKey {
        self.contact.key(number)
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

    /// An operator's token that whoever can read the key file has: for commands on the server's own
    /// machine, and for the exchange beside a platform in the same process.
    pub fn operator_token(&self) -> String {
        BASE64.encode(self.hash("operator token", &[]))
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

/// Writes the file aside, readable by its owner alone, and then gives it its name: whenever the process
/// or the machine dies, there is a whole key file or none. One that another process made meanwhile stays.
fn write_key_file(path: &Path, secret: &[u8; 32], home: HomePlan) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let file = KeyFile {
        hutong_keys: 1,
        secret: BASE64.encode(secret),
        home_prefix: home.prefix,
        home_digits: home.digits,
    };
    let mut aside = tempfile::Builder::new().prefix(".hutong-keys-").tempfile_in(directory)?;
    aside.write_all(serde_json::to_string_pretty(&file)?.as_bytes())?;
    aside.as_file().sync_all()?;
    aside.persist_noclobber(path).map_err(|refused| refused.error)?;
    // The name is durable once its directory is.
    fs::File::open(directory)?.sync_all()
}

fn refuse_if_open_to_others(path: &Path) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt;
    let mode =
        fs::metadata(path).map_err(|error| KeyFileError::Io(path.to_owned(), error))?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyFileError::OpenToOthers(path.to_owned())) }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}
