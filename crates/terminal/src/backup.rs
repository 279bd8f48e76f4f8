//! The address book in the cloud: encrypted here, so that the server keeps what it cannot read.
//!
//! What the server keeps is `MAGIC`, eight bytes that tell one phrase from another, a nonce, the files
//! sealed with AES-256-GCM-SIV (RFC 8452), and a checksum over all of it. Sealed is a gzipped tar
//! archive: the files as they were, and before them a note with the backup's serial number. The key is
//! derived from 128 random bits, which a person keeps as twelve words (BIP 39, English).

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use api::client::ClientError;
use bip39::Mnemonic;
use domain::limits;
use domain::world::World;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::memory::{Memory, MemoryError, remember};
use crate::server::BackupServer;

/// The last digit is the version of the format.
const MAGIC: &[u8; 16] = b"hutong-backup-1\n";
/// The part of it that all versions share.
const MAGIC_OF_ALL: &[u8] = b"hutong-backup-";
const CHECK_BYTES: usize = 8;
const NONCE_BYTES: usize = 12;
const CHECKSUM_BYTES: usize = 16;
/// What is sealed begins here.
const SEALED_AT: usize = MAGIC.len() + CHECK_BYTES + NONCE_BYTES;
/// The note beside the files.
const NOTE: &str = ".hutong-backup";
/// Unpacked, a backup is at most so large: packed contacts shrink tenfold, photographs not at all.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;

/// Twelve words that open a backup. They do not print by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Phrase([u8; 16]);

/// What is no recovery phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "that is not a recovery phrase: it is twelve English words, and a mistyped or misplaced one is noticed"
)]
pub struct NotAPhrase;

impl Phrase {
    /// Makes a new one.
    pub fn make(world: &World) -> Self {
        Self(world.bytes())
    }

    /// Reads twelve words, however they are spaced and capitalised.
    ///
    /// # Errors
    /// [`NotAPhrase`] for other words, another number of them, or a checksum that does not fit.
    pub fn parse(words: &str) -> Result<Self, NotAPhrase> {
        let plain = words.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
        let mnemonic = Mnemonic::parse_normalized(&plain).map_err(|_| NotAPhrase)?;
        mnemonic.to_entropy().try_into().map(Self).map_err(|_| NotAPhrase)
    }

    /// The words, for the person to write down. Where this is called, the phrase leaves the type's protection.
    pub fn words(&self) -> String {
        // Sixteen bytes are one of the lengths that BIP 39 knows.
        Mnemonic::from_entropy(&self.0).map(|mnemonic| mnemonic.to_string()).unwrap_or_default()
    }

    fn cipher(&self) -> Aes256GcmSiv {
        Aes256GcmSiv::new(&blake3::derive_key("hutong 2026 backup key", &self.0).into())
    }

    /// Tells one phrase from another, and nothing else about it.
    fn check(&self) -> [u8; CHECK_BYTES] {
        let whole = blake3::derive_key("hutong 2026 backup check", &self.0);
        std::array::from_fn(|i| whole[i])
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase(…)")
    }
}

/// One file of a backup.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name, without a folder.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} bytes)", self.bytes.len())
    }
}

/// A backup, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Goes up by one with each backup.
    pub serial: u64,
    /// The files, byte for byte.
    pub files: Vec<Kept>,
}

/// Why files cannot be made a backup.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// More than the server keeps.
    #[error(
        "the backup would have {0} bytes, more than the 4 MiB that are kept: leave out photographs, or files"
    )]
    TooLarge(usize),
    /// A name that could not be restored.
    #[error("a file's name is used twice, or is none: rename it")]
    Name,
    /// Packing failed.
    #[error("the files cannot be packed")]
    Pack(#[source] io::Error),
}

/// Why a blob cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Something else altogether.
    #[error("what the server keeps is not a backup of this terminal software")]
    NotABackup,
    /// Made by a later version.
    #[error("the backup was made by a newer version of this software: update it")]
    Newer,
    /// Not as it was made.
    #[error("the backup is damaged: parts of it are missing or were changed since it was made")]
    Damaged,
    /// Whole, and made with other words.
    #[error("the backup is whole, and it was made with another recovery phrase")]
    WrongPhrase,
}

/// Seals files under a phrase.
///
/// # Errors
/// [`SealError`] says what to do.
pub fn seal(backup: &Backup, phrase: &Phrase, world: &World) -> Result<Vec<u8>, SealError> {
    let packed = pack(backup)?;
    let mut blob = [&MAGIC[..], &phrase.check()].concat();
    let nonce: [u8; NONCE_BYTES] = world.bytes();
    let sealed = phrase
        .cipher()
        .encrypt(&Nonce::from(nonce), Payload { msg: &packed, aad: &blob })
        .map_err(|_| SealError::TooLarge(packed.len()))?;
    blob.extend_from_slice(&nonce);
    blob.extend_from_slice(&sealed);
    let checksum = blake3::hash(&blob);
    blob.extend_from_slice(&checksum.as_bytes()[..CHECKSUM_BYTES]);
    if blob.len() > limits::count(limits::BACKUP_BYTES_MAX) {
        return Err(SealError::TooLarge(blob.len()));
    }
    Ok(blob)
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`OpenError`] tells a wrong phrase, a damaged blob, and one that is no backup, apart.
pub fn open(blob: &[u8], phrase: &Phrase) -> Result<Backup, OpenError> {
    match blob.get(..MAGIC.len()) {
        Some(magic) if magic == MAGIC => {}
        Some(magic) if magic.starts_with(MAGIC_OF_ALL) => return Err(OpenError::Newer),
        Some(_) => return Err(OpenError::NotABackup),
        None => return Err(OpenError::Damaged),
    }
    let whole_at = blob.len().checked_sub(CHECKSUM_BYTES).filter(|at| *at >= SEALED_AT);
    let (body, checksum) = whole_at.map(|at| blob.split_at(at)).ok_or(OpenError::Damaged)?;
    // First, so that a flipped bit in the phrase's mark is not taken for other words.
    if blake3::hash(body).as_bytes()[..CHECKSUM_BYTES] != *checksum {
        return Err(OpenError::Damaged);
    }
    let (head, rest) = body.split_at(MAGIC.len() + CHECK_BYTES);
    if head[MAGIC.len()..] != phrase.check() {
        return Err(OpenError::WrongPhrase);
    }
    let (nonce, sealed) = rest.split_at(NONCE_BYTES);
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| OpenError::Damaged)?;
    let packed = phrase
        .cipher()
        .decrypt(&Nonce::from(nonce), Payload { msg: sealed, aad: head })
        .map_err(|_| OpenError::Damaged)?;
    unpack(&packed).ok_or(OpenError::Damaged)
}

fn pack(backup: &Backup) -> Result<Vec<u8>, SealError> {
    let mut names = BTreeSet::from([NOTE]);
    let names_fit = backup.files.iter().all(|file| is_plain(&file.name) && names.insert(&file.name));
    if !names_fit {
        return Err(SealError::Name);
    }
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    let mut append = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        archive.append_data(&mut header, name, bytes)
    };
    let note = backup.serial.to_string();
    append(NOTE, note.as_bytes()).map_err(SealError::Pack)?;
    for file in &backup.files {
        append(&file.name, &file.bytes).map_err(SealError::Pack)?;
    }
    archive.into_inner().and_then(GzEncoder::finish).map_err(SealError::Pack)
}

fn unpack(packed: &[u8]) -> Option<Backup> {
    let mut archive = tar::Archive::new(GzDecoder::new(packed).take(UNPACKED_BYTES_MAX));
    let (mut serial, mut files) = (None, Vec::new());
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        let name = entry.path().ok()?.to_str()?.to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).ok()?;
        if name == NOTE {
            serial = String::from_utf8(bytes).ok()?.parse().ok();
        } else if is_plain(&name) {
            files.push(Kept { name, bytes });
        } else {
            return None;
        }
    }
    Some(Backup { serial: serial?, files })
}

/// Whether a name stays in the folder that it is written into.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0'])
}

/// Why nothing was backed up.
#[derive(Debug, thiserror::Error)]
pub enum BackUpError {
    /// The server refused or could not be reached.
    #[error(transparent)]
    Server(#[from] ClientError),
    /// The backup that is there now does not open with the phrase, and is left as it is.
    #[error("the backup that is there now was left as it is")]
    Present(#[source] OpenError),
    /// The files cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The terminal cannot remember.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Backs files up in place of what the server keeps now; answers the serial number and the size.
///
/// What is there must open with the same phrase, so that a mistyped one does not lock the person out;
/// with `anew` it need not. A backup that another device makes meanwhile is not overwritten.
///
/// # Errors
/// [`BackUpError`]; the server then keeps what it kept, unless its answer was lost.
pub async fn back_up(
    server: &impl BackupServer,
    memory: &impl Memory,
    files: Vec<Kept>,
    phrase: &Phrase,
    anew: bool,
    world: &World,
) -> Result<(u64, usize), BackUpError> {
    let present = server.backup().await?;
    let version = present.as_ref().map_or(0, |(version, _)| *version);
    let known = memory.load()?.backup.unwrap_or(0);
    let found = match &present {
        Some((_, blob)) if !anew => open(blob, phrase).map_err(BackUpError::Present)?.serial,
        _ => 0,
    };
    let serial = found.max(known).saturating_add(1);
    let blob = seal(&Backup { serial, files }, phrase, world)?;
    let size = blob.len();
    server.put_backup(blob, version).await?;
    remember(memory, |state| state.backup = Some(serial))?;
    Ok((serial, size))
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The server refused or could not be reached.
    #[error(transparent)]
    Server(#[from] ClientError),
    /// There is none.
    #[error("the server keeps no backup of yours")]
    None,
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The server keeps, or shows, an earlier one than this terminal knows of.
    #[error(
        "the server gave backup number {found}, and this terminal knows of number {known}: it is an old one"
    )]
    Old {
        /// The serial number found.
        found: u64,
        /// The newest one known here.
        known: u64,
    },
    /// The terminal cannot remember.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Gets the backup back; an older one than this terminal knows of only when `old_too`.
///
/// # Errors
/// [`RestoreError`] tells a wrong phrase, a damaged blob and an old version apart.
pub async fn restore(
    server: &impl BackupServer,
    memory: &impl Memory,
    phrase: &Phrase,
    old_too: bool,
) -> Result<Backup, RestoreError> {
    let (_, blob) = server.backup().await?.ok_or(RestoreError::None)?;
    let backup = open(&blob, phrase)?;
    let (found, known) = (backup.serial, memory.load()?.backup.unwrap_or(0));
    if found < known && !old_too {
        return Err(RestoreError::Old { found, known });
    }
    remember(memory, |state| state.backup = Some(found.max(known)))?;
    Ok(backup)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::world::{SeededDice, SetClock};

    use super::*;

    fn world() -> World {
        World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(7)))
    }

    fn backup() -> Backup {
        let kept = |name: &str, bytes: &[u8]| Kept { name: name.to_owned(), bytes: bytes.to_vec() };
        let long = "名".repeat(80);
        let files = vec![
            kept("a.vcf", b"BEGIN:VCARD\r\n\xff\x00"),
            kept("empty.csv", b""),
            kept(&long, &[7; 70_000]),
        ];
        Backup { serial: 3, files }
    }

    #[test]
    fn what_was_sealed_opens_byte_for_byte_with_the_words_as_a_person_types_them() {
        let phrase = Phrase::make(&world());
        let blob = seal(&backup(), &phrase, &world()).unwrap();
        let typed = format!("  {} ", phrase.words().to_uppercase().replace(' ', "\n "));
        assert_eq!(phrase.words().split(' ').count(), 12);
        assert_eq!(open(&blob, &Phrase::parse(&typed).unwrap()), Ok(backup()));
        assert!(!blob.windows(5).any(|bytes| bytes == b"BEGIN" || bytes == b"a.vcf"));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_damage_and_other_words_are_other_words() {
        let world = world();
        let (phrase, other) = (Phrase::make(&world), Phrase::make(&world));
        let small = Backup { serial: 1, files: vec![Kept { name: "a".to_owned(), bytes: b"x".to_vec() }] };
        let blob = seal(&small, &phrase, &world).unwrap();
        assert_eq!(open(&blob, &other), Err(OpenError::WrongPhrase));
        for at in 0..blob.len() {
            for bit in 0..8 {
                let mut flipped = blob.clone();
                flipped[at] ^= 1 << bit;
                let error = open(&flipped, &phrase).unwrap_err();
                let named = at < MAGIC.len() && matches!(error, OpenError::NotABackup | OpenError::Newer);
                assert!(named || error == OpenError::Damaged, "byte {at}, bit {bit}: {error:?}");
            }
            assert_eq!(open(&blob[..at], &phrase), Err(OpenError::Damaged), "cut at {at}");
        }
        assert_eq!(open(b"something else altogether", &phrase), Err(OpenError::NotABackup));
        assert_eq!(open(b"hutong-backup-2\n and more", &phrase), Err(OpenError::Newer));
    }

    #[test]
    fn a_mistyped_word_is_no_phrase() {
        let phrase = Phrase::make(&world()).words();
        let mut words: Vec<_> = phrase.split(' ').collect();
        assert!(Phrase::parse(&words[..11].join(" ")).is_err());
        words.swap(0, 1);
        // One in sixteen such swaps keeps the four bits of checksum; the seed above does not.
        assert!(Phrase::parse(&words.join(" ")).is_err());
        assert!(Phrase::parse("").is_err() && Phrase::parse(&"abandon ".repeat(24)).is_err());
    }

    #[test]
    fn names_that_would_leave_the_folder_or_repeat_are_refused() {
        let phrase = Phrase::make(&world());
        for names in [&["../a"][..], &["a", "a"], &[""], &["a\\b"], &[NOTE]] {
            let files = names.iter().map(|name| Kept { name: (*name).to_owned(), bytes: vec![] }).collect();
            let sealed = seal(&Backup { serial: 1, files }, &phrase, &world());
            assert!(matches!(sealed, Err(SealError::Name)), "{names:?}");
        }
    }

    #[test]
    fn what_the_server_would_not_keep_is_refused_here() {
        let world = world();
        let noise: Vec<u8> = std::iter::repeat_with(|| world.bytes::<64>()).take(70_000).flatten().collect();
        let files = vec![Kept { name: "photo".to_owned(), bytes: noise }];
        let sealed = seal(&Backup { serial: 1, files }, &Phrase::make(&world), &world);
        assert!(matches!(sealed, Err(SealError::TooLarge(_))));
    }
}
