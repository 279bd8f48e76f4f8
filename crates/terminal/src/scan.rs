//! A scan of address-book files: what was found in each, and which numbers may be uploaded.

use std::collections::BTreeSet;

use domain::Msisdn;
use domain::number::{self, Region};

use crate::read::{BookFile, ReadError, read_book};

/// What a scan found, as `terminal scan --dry-run --json` prints it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Scan {
    /// The files in the order in which they were given.
    pub files: Vec<ScannedFile>,
}

/// What was found in one file. It holds raw values and stays on the terminal.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ScannedFile {
    /// The file's name as it was given.
    pub file: String,
    /// How many cards or rows were read.
    pub cards: usize,
    /// Every telephone value as written, in the order of the file, repetitions included.
    pub telephones: Vec<String>,
    /// The numbers read from them in E.164, each once, landlines included.
    pub numbers: Vec<String>,
    /// The values without a number and the cards with a fault.
    pub refused: Vec<RefusedValue>,
    /// Why the file could not be read at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The mobile numbers among them.
    #[serde(skip)]
    matchable: BTreeSet<Msisdn>,
}

/// One value that gave no number.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
pub struct RefusedValue {
    /// The line on which it stands, from 1.
    pub line: usize,
    /// The value as written; empty where a card and not a value is at fault.
    pub value: String,
    /// The stable code of the reason.
    pub reason: &'static str,
    /// A sentence that says what to do.
    #[serde(skip)]
    pub hint: String,
}

impl Scan {
    /// Reads one more file and adds what was found; `region` is the account's own.
    pub fn add(&mut self, file: &str, bytes: &[u8], region: Region) {
        self.files.push(match read_book(bytes) {
            Ok(book) => ScannedFile::from_book(file, &book, region),
            Err(error) => ScannedFile::from_error(file, &error.to_string()),
        });
    }

    /// Adds a file that could not even be opened, with a sentence that says why.
    pub fn add_unreadable(&mut self, file: &str, error: &str) {
        self.files.push(ScannedFile::from_error(file, error));
    }

    /// The numbers that may be uploaded: the mobile ones of all files, each once.
    pub fn matchable_numbers(&self) -> BTreeSet<Msisdn> {
        self.files.iter().flat_map(|file| &file.matchable).copied().collect()
    }

    /// Whether a file could not be read.
    pub fn has_error(&self) -> bool {
        self.files.iter().any(|file| file.error.is_some())
    }
}

impl ScannedFile {
    fn from_error(file: &str, error: &str) -> Self {
        Self { file: file.to_owned(), error: Some(error.to_owned()), ..Self::default() }
    }

    fn from_book(file: &str, book: &BookFile, region: Region) -> Self {
        let mut scanned = Self { file: file.to_owned(), cards: book.cards, ..Self::default() };
        let mut seen = BTreeSet::new();
        for telephone in book.entries.iter().flat_map(|entry| &entry.telephones) {
            let reading = number::read(&telephone.raw, region);
            for number in reading.numbers {
                if seen.insert(number) {
                    scanned.numbers.push(number.e164());
                }
            }
            scanned.matchable.extend(reading.matchable);
            if let Some(refusal) = reading.reason {
                scanned.refused.push(RefusedValue {
                    line: telephone.line,
                    value: telephone.raw.clone(),
                    reason: refusal.code(),
                    hint: refusal.hint().to_owned(),
                });
            }
            scanned.telephones.push(telephone.raw.clone());
        }
        for refused in &book.refused {
            scanned.refused.push(RefusedValue {
                line: refused.line,
                value: String::new(),
                reason: refused.fault.code(),
                hint: refused.fault.to_string(),
            });
        }
        scanned.refused.sort_by_key(|refused| refused.line);
        scanned
    }
}

/// Reads one file alone.
///
/// # Errors
/// [`ReadError`] when nothing in it can be read.
pub fn scan_file(file: &str, bytes: &[u8], region: Region) -> Result<ScannedFile, ReadError> {
    read_book(bytes).map(|book| ScannedFile::from_book(file, &book, region))
}

impl std::fmt::Debug for ScannedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { cards, telephones, numbers, refused, .. } = self;
        let (telephones, numbers, refused) = (telephones.len(), numbers.len(), refused.len());
        write!(f, "ScannedFile({cards} cards, {telephones} telephones, {numbers} numbers, {refused} refused)")
    }
}

impl std::fmt::Debug for RefusedValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RefusedValue(line {}, {})", self.line, self.reason)
    }
}
