//! Address-book files into raw telephone values: vCard and tables, told apart by content.
//!
//! Nothing here is strict: what can be read is read, and what cannot is reported with its line. The
//! values stay as they were written; `domain::number` reads them. Names never leave the terminal.

mod csv;
mod decode;
mod headers;
mod line;
mod vcard;

/// The largest file that is read, in bytes: 50,000 cards without pictures are about 10 MiB.
pub const FILE_BYTES_MAX: usize = 32 << 20;

/// The most cards, or rows of a table, that are read out of one file.
pub const CARDS_MAX: usize = 50_000;

/// The longest property that is looked at, in bytes; pictures are passed over whatever their size.
pub const LINE_BYTES_MAX: usize = 8_192;

/// How deep cards may stand inside one another, as an assistant's card in a vCard 2.1 `AGENT`.
pub const NESTING_MAX: usize = 8;

/// What sort of address book a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// vCard 2.1, 3.0 or 4.0.
    Vcard,
    /// A table with separators.
    Csv,
}

/// What was read out of one address-book file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookFile {
    /// How many cards or rows were read, cards inside cards included.
    pub cards: usize,
    /// The cards in the order of their lines.
    pub entries: Vec<Entry>,
    /// What could not be read, or not wholly.
    pub refused: Vec<RefusedCard>,
    /// The sort of the file.
    pub format: Format,
}

/// One card or row.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The person's name as shown; it stays on the terminal.
    pub name: Option<String>,
    /// Its telephone values in their order.
    pub telephones: Vec<Telephone>,
}

/// One raw telephone value.
#[derive(Clone, PartialEq, Eq)]
pub struct Telephone {
    /// The line on which it stands, from 1.
    pub line: usize,
    /// The value as written, decoded and without `tel:`.
    pub raw: String,
}

/// A card that could not be read, or not wholly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedCard {
    /// The line of the fault, from 1.
    pub line: usize,
    /// What is wrong.
    pub fault: CardFault,
}

/// What is wrong with a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardFault {
    /// The card does not end; it was read as far as it goes.
    #[error("the card has no END line; it was read as far as it goes")]
    MissingEnd,
    /// A telephone stands outside of any card; it was read all the same.
    #[error("the card has no BEGIN line; its telephones were read")]
    MissingBegin,
    /// A telephone line has no value behind a colon.
    #[error("the telephone line has no colon; write TEL: and the number")]
    NoValue,
    /// A telephone line is longer than [`LINE_BYTES_MAX`].
    #[error("the telephone line is too long; put one number on it")]
    LineTooLong,
    /// The file has more than [`CARDS_MAX`] cards; the rest was not read.
    #[error("the file has too many cards; split it and read the parts")]
    TooManyCards,
}

impl CardFault {
    /// The stable code, in kebab case.
    pub fn code(self) -> &'static str {
        match self {
            Self::MissingEnd => "missing-end",
            Self::MissingBegin => "missing-begin",
            Self::NoValue => "no-value",
            Self::LineTooLong => "line-too-long",
            Self::TooManyCards => "too-many-cards",
        }
    }
}

/// Why a whole file could not be read; each a sentence that says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing in it.
    #[error("the file is empty; export the contacts again")]
    Empty,
    /// Larger than [`FILE_BYTES_MAX`].
    #[error("the file is larger than {limit_bytes} bytes; export without pictures or in parts")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// A packed file.
    #[error("the file is packed; unpack it and give the .vcf or .csv file inside")]
    Packed,
    /// A spreadsheet's or database's own format, a picture and the like.
    #[error("the file is not text; export the contacts as vCard (.vcf) or CSV")]
    NotText,
    /// Text, but no address book.
    #[error(
        "the file has neither cards nor a column of telephone numbers; export the contacts as vCard (.vcf) or CSV"
    )]
    Unrecognised,
}

/// Reads an address-book file by its content, whatever its name.
///
/// # Errors
/// [`ReadError`] when nothing can be read; faults of single cards are in [`BookFile::refused`].
pub fn read_book(bytes: &[u8]) -> Result<BookFile, ReadError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(ReadError::TooLarge { limit_bytes: FILE_BYTES_MAX });
    }
    decode::refuse_binary(bytes)?;
    let text = decode::decode(bytes);
    if text.trim().is_empty() {
        return Err(ReadError::Empty);
    }
    if vcard::is_vcard(&text) {
        return Ok(vcard::read(&text));
    }
    csv::read(&text).ok_or(ReadError::Unrecognised)
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry(line {}, {} telephones)", self.line, self.telephones.len())
    }
}

impl std::fmt::Debug for Telephone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Telephone(line {})", self.line)
    }
}
