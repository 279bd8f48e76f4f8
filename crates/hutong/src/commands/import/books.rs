//! Books as JSON, one object a line, and what all files together come to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use domain::book::ParsedBook;
use domain::{Msisdn, Region, limits, number};
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

use crate::commands::matching::progress::{Counted, Progress};
use crate::failure::Failure;

/// A line that is longer is no book: 5,000 numbers of 256 characters, and room for what is around them.
const LINE_BYTES_MAX: u64 = 2 << 20;

/// So many malformed lines are named; the others are only counted.
const NAMED_MAX: u64 = 10;

/// The beginning of a gzip file (RFC 1952, 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Everybody's books, put together from all files.
pub(super) struct Books {
    pub(super) region: Region,
    prefixes: Vec<String>,
    /// By owner.
    pub(super) of: BTreeMap<Msisdn, Vec<Msisdn>>,
    pub(super) refused_owners: u64,
    pub(super) refused_contacts: u64,
}

impl Books {
    pub(super) fn new(region: Region, prefixes: Vec<String>) -> Self {
        Self { region, prefixes, of: BTreeMap::new(), refused_owners: 0, refused_contacts: 0 }
    }

    /// Whether somebody with this number can be registered here.
    pub(super) fn serves(&self, owner: Msisdn) -> bool {
        let e164 = owner.e164();
        self.prefixes.iter().any(|prefix| e164.starts_with(prefix))
    }

    /// Adds to an owner's book.
    pub(super) fn add(&mut self, owner: Msisdn, contacts: impl IntoIterator<Item = Msisdn>) {
        self.of.entry(owner).or_default().extend(contacts);
    }
}

#[derive(Deserialize)]
struct Line {
    number: String,
    numbers: Vec<String>,
}

/// Whether a file holds JSON objects: by its first byte that is no blank.
pub(super) fn is_json(file: &Path) -> Result<bool, Failure> {
    let unread = |error: io::Error| unreadable(file, 1, &error);
    let mut bytes = open(file, None).map_err(unread)?;
    loop {
        let buffer = match bytes.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) => return Err(unread(error)),
        };
        let Some(first) = buffer.iter().find(|byte| !byte.is_ascii_whitespace()) else {
            if buffer.is_empty() {
                return Ok(false);
            }
            let blank = buffer.len();
            bytes.consume(blank);
            continue;
        };
        return Ok(*first == b'{');
    }
}

/// Reads all JSON files into `books`; says on stderr what was skipped.
///
/// # Errors
/// A [`Failure`] for a file that cannot be read to its end, or, when `strict`, for the first malformed line.
pub(super) fn read_all(
    files: &[(PathBuf, u64)],
    strict: bool,
    books: &mut Books,
    progress: &Progress,
) -> Result<(), Failure> {
    let mut malformed = 0;
    for (file, _) in files {
        let mut bytes = open(file, Some(progress)).map_err(|error| unreadable(file, 1, &error))?;
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            let count = (&mut bytes)
                .take(LINE_BYTES_MAX)
                .read_until(b'\n', &mut text)
                .map_err(|error| unreadable(file, line, &error))?;
            if count == 0 {
                break;
            }
            let Some(fault) =
                take(&mut bytes, &text, books).map_err(|error| unreadable(file, line, &error))?
            else {
                continue;
            };
            if strict {
                return Err(Failure::user(format!("{}, line {line}: {fault}", file.display()))
                    .hint("Correct the line; without --strict such lines are skipped."));
            }
            malformed += 1;
            if malformed <= NAMED_MAX {
                progress.say(&format!("{}, line {line}: skipped: {fault}", file.display()));
            }
        }
    }
    if malformed > 0 {
        progress.say(&format!("{malformed} malformed lines were skipped"));
    }
    Ok(())
}

/// Takes one line; answers what is wrong with it, in words that repeat nothing of it.
fn take(rest: &mut impl BufRead, text: &[u8], books: &mut Books) -> io::Result<Option<String>> {
    if text.len() as u64 == LINE_BYTES_MAX && !text.ends_with(b"\n") {
        rest.skip_until(b'\n')?;
        return Ok(Some(format!("longer than {LINE_BYTES_MAX} bytes")));
    }
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    let line: Line = match serde_json::from_slice(text) {
        Ok(line) => line,
        Err(error) => {
            let place = error.column();
            return Ok(Some(format!(
                "not {{\"number\": \"…\", \"numbers\": [\"…\"]}} as JSON, from column {place} on"
            )));
        }
    };
    if line.numbers.len() as u64 > limits::BOOK_NUMBERS_MAX.unsigned_abs() {
        return Ok(Some(format!("more than {} numbers", limits::BOOK_NUMBERS_MAX)));
    }
    let owner = match number::read_own(&line.number, books.region) {
        Ok(owner) if books.serves(owner) => owner,
        _ => {
            books.refused_owners += 1;
            return Ok(None);
        }
    };
    let book = ParsedBook::parse(line.numbers.iter().map(String::as_str), books.region);
    books.refused_contacts += book.refused.len() as u64;
    books.add(owner, book.numbers);
    Ok(None)
}

fn open(file: &Path, progress: Option<&Progress>) -> io::Result<Box<dyn BufRead>> {
    let opened = File::open(file)?;
    let bytes: Box<dyn Read> = match progress {
        Some(progress) => Box::new(Counted::new(opened, progress)),
        None => Box::new(opened),
    };
    let mut bytes = BufReader::with_capacity(1 << 17, bytes);
    if bytes.fill_buf()?.starts_with(GZIP) {
        return Ok(Box::new(BufReader::with_capacity(1 << 17, MultiGzDecoder::new(bytes))));
    }
    Ok(Box::new(bytes))
}

fn unreadable(file: &Path, line: u64, error: &io::Error) -> Failure {
    Failure::user(format!("{} cannot be read further than line {line}", file.display())).because(error)
}

/// Contacts of one owner as numbers, each once, the owner left out.
pub(super) fn distinct(owner: Msisdn, contacts: Vec<Msisdn>) -> BTreeSet<Msisdn> {
    contacts.into_iter().filter(|contact| *contact != owner).collect()
}
