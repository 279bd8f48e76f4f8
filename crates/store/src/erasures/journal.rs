//! The file beside the database: one line an erasure, appended and never changed.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Erased, Kept};
use crate::error::{Kind, StoreError};

/// The journal of one installation, or of one process of it.
pub(crate) struct Journal {
    /// What its lines are about. Held while a line is written: a line stands there once.
    known: Mutex<HashSet<(Uuid, Erased)>>,
    path: PathBuf,
}

/// A journal as it was found, and what it says.
pub(crate) struct Opened {
    pub(crate) journal: Journal,
    pub(crate) lines: Vec<Kept>,
    /// Lines that cannot be read, but for one cut off at the end, which was never acknowledged.
    pub(crate) unreadable: usize,
}

impl Journal {
    /// Reads the file, if there is one; whoever owns the process alone may read one that is made.
    pub(crate) fn open(path: &Path) -> Result<Opened, StoreError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(StoreError::new(Kind::Unavailable, error)),
        };
        let (mut lines, mut unreadable) = (Vec::new(), 0);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n").map(read_line) {
                Some(Some(kept)) => lines.push(kept),
                // Cut off, and closed so by a later start.
                Some(None) if line.ends_with(TORN) => {}
                Some(None) => unreadable += 1,
                None => {}
            }
        }
        let known = Mutex::new(lines.iter().map(|kept| (kept.id, kept.what)).collect());
        Ok(Opened { journal: Self { known, path: path.to_owned() }, lines, unreadable })
    }

    /// Appends lines that are not there yet; they are on the disk when this returns.
    pub(crate) fn append(&self, kept: &[Kept]) -> Result<(), StoreError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh: Vec<&Kept> = kept.iter().filter(|kept| !known.contains(&(kept.id, kept.what))).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let text: String = fresh.iter().filter_map(|kept| write_line(kept)).collect();
        self.write(&text).map_err(|error| StoreError::new(Kind::Unavailable, error))?;
        known.extend(fresh.iter().map(|kept| (kept.id, kept.what)));
        Ok(())
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let made = !self.path.exists();
        let mut file = options.open(&self.path)?;
        // A line cut off by an earlier end is closed first, so that it spoils no other.
        if !ends_whole(&mut file)? {
            file.write_all(TORN)?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if made {
            // The name must be as durable as what stands under it.
            let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }
}

fn ends_whole(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Ends a line that was cut off.
const TORN: &[u8] = b"~\n";

/// What the file needs no key for: id, kind, moment, and the sealed key of the person. A line without the dot at
/// its end was cut off.
fn write_line(kept: &Kept) -> Option<String> {
    let who = BASE64.encode(kept.who.as_ref()?);
    Some(format!("{} {} {} {who} .\n", kept.id, kept.what.word(), kept.at.as_millisecond()))
}

fn read_line(line: &[u8]) -> Option<Kept> {
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let kept = Kept {
        id: words.next()?.parse().ok()?,
        what: Erased::parse(words.next()?)?,
        at: Timestamp::from_millisecond(words.next()?.parse().ok()?).ok()?,
        who: Some(BASE64.decode(words.next()?).ok()?),
    };
    (words.next() == Some(".") && words.next().is_none()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(n: u128) -> Kept {
        let at = Timestamp::from_millisecond(1_795_348_800_000).unwrap();
        Kept { id: Uuid::from_u128(n), what: Erased::Owner, at, who: Some(vec![1, 2, 255]) }
    }

    #[test]
    fn a_line_cut_off_at_the_end_is_as_if_it_were_not_and_spoils_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        Journal::open(&path).unwrap().journal.append(&[kept(1), kept(2)]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let opened = Journal::open(&path).unwrap();
            let complete = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!((opened.lines.len(), opened.unreadable), (complete, 0));
            opened.journal.append(&[kept(3)]).unwrap();
            let again = Journal::open(&path).unwrap();
            assert_eq!(again.lines.last(), Some(&kept(3)), "after {cut} bytes");
            assert_eq!((again.lines.len(), again.unreadable), (complete + 1, 0));
        }
    }

    #[test]
    fn a_line_stands_there_once_and_a_spoilt_one_is_counted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let journal = Journal::open(&path).unwrap().journal;
        journal.append(&[kept(1)]).unwrap();
        journal.append(&[kept(1), kept(2)]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2);
        std::fs::write(&path, text.replacen("owner", "0wner", 1)).unwrap();
        let opened = Journal::open(&path).unwrap();
        assert_eq!((opened.lines.len(), opened.unreadable), (1, 1));
    }
}
