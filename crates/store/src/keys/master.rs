//! The master key: the one secret outside the database, in the key file. It opens the seed that the database
//! keeps sealed, from which all other secrets come; so it can be exchanged while everything stored stays.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use domain::world::World;
use serde::{Deserialize, Serialize};

use super::rights;
use crate::failpoints::{self, Point};

/// What the sealed seed is for, so that nothing else opens as one.
const SEED_PURPOSE: &[u8] = b"seed";
const NONCE_BYTES: usize = 12;

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
    /// It is another user's.
    #[error(
        "the key file {path} belongs to the user with the number {owner}, and this runs as number {runs_as}: run it as that user, or give the file to this one with chown"
    )]
    OfAnother {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// As whom this runs.
        runs_as: u32,
    },
    /// Others may put another file in its place.
    #[error(
        "the key file lies in {0}, where others may put another in its place: run chmod go-w on that directory, or name another place with keys.file"
    )]
    PlaceOpenToOthers(PathBuf),
    /// The file system refused.
    #[error("the key file {0} cannot be read or written")]
    Io(PathBuf, #[source] io::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    hutong_keys: u32,
    secret: String,
    /// The secret that is about to take the other's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The format of the key file.
const FORMAT: u32 = 2;
/// A key file is two short lines; whatever is larger is something else.
const FILE_BYTES_MAX: u64 = 4_096;

type Secret = [u8; 32];

/// The secrets of a key file: one, or two while one takes the other's place.
#[derive(Clone)]
pub struct MasterKey(Arc<Held>);

struct Held {
    /// `None`: given by a test, and nowhere written down.
    file: Option<PathBuf>,
    /// `None`: not read yet.
    secrets: Mutex<Option<Secrets>>,
    /// Whether the file named two secrets when it was read or written last.
    both: AtomicBool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Secrets {
    now: Secret,
    next: Option<Secret>,
}

impl MasterKey {
    /// A master key that is nowhere written down.
    pub fn from_secret(secret: Secret) -> Self {
        Self::held(None, Some(Secrets { now: secret, next: None }))
    }

    /// The master key in a file, which the store reads when it is opened, and makes when it is new itself.
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        Self::held(Some(path.into()), None)
    }

    /// Where it is written down.
    pub(crate) fn file(&self) -> &Path {
        self.0.file.as_deref().unwrap_or(Path::new("of nowhere"))
    }

    fn held(file: Option<PathBuf>, secrets: Option<Secrets>) -> Self {
        Self(Arc::new(Held { file, secrets: Mutex::new(secrets), both: AtomicBool::new(false) }))
    }

    /// Reads the key file; makes it, readable by its owner alone, when `may_create`.
    ///
    /// # Errors
    /// [`KeyFileError`] says what to do.
    pub fn load(&self, may_create: bool, world: &World) -> Result<(), KeyFileError> {
        let Some(path) = &self.0.file else { return Ok(()) };
        let loaded = load(path, may_create, world)?;
        *self.secrets() = Some(loaded);
        self.0.both.store(loaded.next.is_some(), Ordering::Relaxed);
        Ok(())
    }

    /// Whether the file names two secrets: an exchange is under way, or was broken off.
    pub fn is_in_exchange(&self) -> bool {
        self.0.both.load(Ordering::Relaxed)
    }

    fn secrets(&self) -> MutexGuard<'_, Option<Secrets>> {
        // No code panics between two changes that belong together.
        self.0.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An operator's token that whoever can read the key file has, for commands on the server's own
    /// machine. It changes with the master key. `None` before the file was read.
    pub fn operator_token(&self) -> Option<String> {
        let secrets = *self.secrets();
        secrets.map(|secrets| BASE64.encode(blake3::derive_key("hutong 2026 operator token", &secrets.now)))
    }

    /// Seals the seed under the secret that is in force; `None` before the file was read.
    pub(crate) fn seal(&self, world: &World, seed: &Secret) -> Option<Vec<u8>> {
        let secrets = *self.secrets();
        secrets.map(|secrets| seal(&secrets.now, world, seed))
    }

    /// Opens the seed with whichever secret fits, and lets that one alone be in force here from then on. The
    /// file stays as it is.
    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Secret> {
        let mut held = self.secrets();
        let (settled, seed) = fitting((*held)?, sealed)?;
        *held = Some(settled);
        Some(seed)
    }

    /// Reads the file anew and takes its secret that opens the seed; `false`, and nothing changed, when none does.
    pub(crate) fn reread(&self, world: &World, sealed: &[u8]) -> Result<bool, KeyFileError> {
        let mut held = self.secrets();
        let loaded = match &self.0.file {
            Some(path) => Some(load(path, false, world)?),
            None => *held,
        };
        let Some((settled, _)) = loaded.and_then(|secrets| fitting(secrets, sealed)) else {
            return Ok(false);
        };
        self.0.both.store(loaded.is_some_and(|secrets| secrets.next.is_some()), Ordering::Relaxed);
        *held = Some(settled);
        Ok(true)
    }

    /// Keeps other processes with the same key file from rotating meanwhile; `None` when one does.
    pub(crate) fn lock(&self) -> Result<Option<fs::File>, KeyFileError> {
        let directory = match &self.0.file {
            Some(path) => directory_of(path),
            None => Path::new("."),
        };
        let io = |error| KeyFileError::Io(directory.to_owned(), error);
        let handle = fs::File::open(directory).map_err(io)?;
        match handle.try_lock() {
            Ok(()) => Ok(Some(handle)),
            Err(fs::TryLockError::WouldBlock) if self.0.file.is_some() => Ok(None),
            // A key that is in no file has nobody to share it with.
            Err(fs::TryLockError::WouldBlock) => Ok(Some(handle)),
            Err(fs::TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// Throws a new secret and writes it beside the present one, durably; answers the seed sealed under it.
    ///
    /// # Errors
    /// [`KeyFileError`]; nothing has changed then.
    pub(crate) fn prepare(&self, world: &World, seed: &Secret) -> Result<Vec<u8>, KeyFileError> {
        let mut held = self.secrets();
        let missing = || KeyFileError::Missing(self.0.file.clone().unwrap_or_default());
        let both = Secrets { now: held.ok_or_else(missing)?.now, next: Some(world.bytes()) };
        self.write(both)?;
        *held = Some(both);
        Ok(both.next.map(|next| seal(&next, world, seed)).unwrap_or_default())
    }

    /// Puts the prepared secret in the old one's place: the database has it. In a file with two, only the one
    /// in force is left.
    ///
    /// # Errors
    /// [`KeyFileError`]; the file then holds both, and the next start finds the right one.
    pub(crate) fn settle(&self) -> Result<(), KeyFileError> {
        let mut held = self.secrets();
        let Some(secrets) = *held else { return Ok(()) };
        let settled = Secrets { now: secrets.next.unwrap_or(secrets.now), next: None };
        if self.is_in_exchange() {
            self.write(settled)?;
        }
        // Not before: the operator's token goes by the secret that stands first in the file.
        *held = Some(settled);
        Ok(())
    }

    /// Only who may rotate comes here: alone with the database, or under [`MasterKey::lock`].
    fn write(&self, secrets: Secrets) -> Result<(), KeyFileError> {
        if let Some(path) = &self.0.file {
            let io = |error| KeyFileError::Io(path.clone(), error);
            // One that died here has left a copy of secrets, which would outlive them.
            remove_asides(path).map_err(io)?;
            write(path, secrets, |file, path| file.persist(path)).map_err(io)?;
        }
        self.0.both.store(secrets.next.is_some(), Ordering::Relaxed);
        Ok(())
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// The one of two secrets that opens the seed, alone, and the seed.
fn fitting(secrets: Secrets, sealed: &[u8]) -> Option<(Secrets, Secret)> {
    let fits = |secret: Secret| open(&secret, sealed).map(|seed| (Secrets { now: secret, next: None }, seed));
    fits(secrets.now).or_else(|| secrets.next.and_then(fits))
}

pub(super) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn cipher(secret: &Secret) -> Aes256GcmSiv {
    Aes256GcmSiv::new(&blake3::derive_key("hutong 2026 master key", secret).into())
}

fn seal(secret: &Secret, world: &World, seed: &Secret) -> Vec<u8> {
    let nonce: [u8; NONCE_BYTES] = world.bytes();
    // The library fails only on inputs of many gigabytes.
    let sealed = cipher(secret)
        .encrypt(&Nonce::from(nonce), Payload { msg: seed, aad: SEED_PURPOSE })
        .unwrap_or_default();
    [nonce.as_slice(), &sealed].concat()
}

fn open(secret: &Secret, sealed: &[u8]) -> Option<Secret> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let payload = Payload { msg: sealed, aad: SEED_PURPOSE };
    cipher(secret).decrypt(&Nonce::from(*nonce), payload).ok()?.try_into().ok()
}

fn load(path: &Path, may_create: bool, world: &World) -> Result<Secrets, KeyFileError> {
    let io = |error| KeyFileError::Io(path.to_owned(), error);
    match rights::check(path).and_then(|()| read_limited(path).map_err(io)) {
        Ok(bytes) => parse(&bytes).ok_or_else(|| KeyFileError::Unreadable(path.to_owned())),
        Err(KeyFileError::Missing(_)) if may_create => {
            let secrets = Secrets { now: world.bytes(), next: None };
            match write(path, secrets, |file, path| file.persist_noclobber(path)) {
                Ok(()) => Ok(secrets),
                // Another process was first: its keys are the keys.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => load(path, false, world),
                Err(error) => Err(io(error)),
            }
        }
        Err(error) => Err(error),
    }
}

fn parse(bytes: &[u8]) -> Option<Secrets> {
    let file: KeyFile = serde_json::from_slice(bytes).ok()?;
    let secret = |text: String| BASE64.decode(text).ok()?.try_into().ok();
    let next = match file.next {
        Some(text) => Some(secret(text)?),
        None => None,
    };
    let now = secret(file.secret)?;
    (file.hutong_keys == FORMAT).then_some(Secrets { now, next })
}

/// A huge file in its place is refused, not read.
fn read_limited(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// How the names of the files begin that are to become a key file.
fn aside_prefix(path: &Path) -> String {
    format!(".{}.aside-", path.file_name().unwrap_or_default().to_string_lossy())
}

fn remove_asides(path: &Path) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let prefix = aside_prefix(path);
    for entry in fs::read_dir(directory_of(path))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes the file aside, readable by its owner alone, and then gives it its name: whenever the process
/// or the machine dies, there is a whole key file or, before the first, none.
fn write(
    path: &Path,
    secrets: Secrets,
    name: impl FnOnce(tempfile::NamedTempFile, &Path) -> Result<fs::File, tempfile::PersistError>,
) -> io::Result<()> {
    // A link stays a link, and the file that it names is replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = directory_of(path);
    fs::create_dir_all(directory)?;
    let text = |secret: Secret| BASE64.encode(secret);
    let file = KeyFile { hutong_keys: FORMAT, secret: text(secrets.now), next: secrets.next.map(text) };
    let mut aside = tempfile::Builder::new().prefix(&aside_prefix(path)).tempfile_in(directory)?;
    if let Ok(before) = fs::metadata(path)
        && before.uid() != aside.as_file().metadata()?.uid()
    {
        // Only root comes here: what root writes stays the servers' own.
        fchown(aside.as_file(), Some(before.uid()), Some(before.gid()))?;
    }
    aside.write_all(serde_json::to_string_pretty(&file)?.as_bytes())?;
    aside.as_file().sync_all()?;
    failpoints::pass_blocking(Point::KeyFileAside).map_err(io::Error::other)?;
    name(aside, path).map_err(|refused| refused.error)?;
    // The name is durable once its directory is.
    fs::File::open(directory)?.sync_all()
}
