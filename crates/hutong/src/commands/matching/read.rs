//! Edge lists from files: block by block, so that a line costs no call and no allocation.

use std::fs::File;
use std::io::{self, BufReader, Cursor, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use matching::bulk::Edge;

use super::row::{self, Fault, Row};
use crate::failure::Failure;

/// Read at once, and the most a line may have.
const BLOCK_BYTES: usize = 1 << 20;

/// Packed bytes read at once.
const PACKED_BYTES: usize = 1 << 17;

/// Edges in one part: 1 MB, so that no long vector is ever copied to grow.
const PART_EDGES: usize = 1 << 16;

/// So many malformed rows are named; the others are only counted.
const NAMED_MAX: u64 = 20;

/// The beginning of a gzip file (RFC 1952, 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The beginning of a Parquet file.
const PARQUET: &[u8] = b"PAR1";

/// What some programs put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// Reads all files, in parts that are about the same size; says on stderr what was skipped.
///
/// # Errors
/// A [`Failure`] that names the file and the place where reading ended: it cannot be read, is empty, cut
/// short or of an unknown format, or, when `strict`, has a malformed row.
pub(super) fn read_all(files: &[PathBuf], strict: bool) -> Result<Vec<Vec<Edge>>, Failure> {
    let (mut parts, mut skipped) = (Vec::new(), 0);
    for file in files {
        let mut rows = Rows { file, strict, line: 0, begun: false, parts, skipped };
        read_file(&mut rows)?;
        Rows { parts, skipped, .. } = rows;
    }
    match skipped {
        0 => {}
        1 => say("1 malformed row was skipped\n"),
        2..=NAMED_MAX => say(&format!("{skipped} malformed rows were skipped\n")),
        _ => say(&format!("{skipped} malformed rows were skipped; the first {NAMED_MAX} are named above\n")),
    }
    Ok(parts)
}

fn say(text: &str) {
    // Where stderr is closed there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// A file's bytes, unpacked.
struct Input {
    bytes: Box<dyn Read>,
    packed: bool,
    /// How many there are at least, where that is known.
    length: u64,
}

fn open(file: &Path) -> Result<Input, Failure> {
    let unopened =
        |error: io::Error| Failure::user(format!("{} cannot be read", file.display())).because(&error);
    let opened = File::open(file).map_err(unopened)?;
    let length = opened.metadata().map_err(unopened)?.len();
    let (head, bytes) = peek(opened).map_err(unopened)?;
    if head.starts_with(PARQUET) {
        return Err(parquet(file));
    }
    if !head.starts_with(GZIP) {
        return Ok(Input { bytes: Box::new(bytes), packed: false, length });
    }
    let unpacked = MultiGzDecoder::new(BufReader::with_capacity(PACKED_BYTES, bytes));
    let (head, bytes) = peek(unpacked).map_err(|error| unread(file, true, 0, 0, &error))?;
    if head.starts_with(PARQUET) {
        return Err(parquet(file));
    }
    Ok(Input { bytes: Box::new(bytes), packed: true, length: 0 })
}

/// Looks at the first bytes, which come again from the reader given back.
fn peek(mut input: impl Read) -> io::Result<(Vec<u8>, impl Read)> {
    let mut head = Vec::new();
    input.by_ref().take(PARQUET.len() as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(input)))
}

fn read_file(rows: &mut Rows) -> Result<(), Failure> {
    let mut input = open(rows.file)?;
    let mut buffer = vec![0; BLOCK_BYTES];
    // Bytes read, those of them that wait in the buffer for their line's end, and whether that line is too long.
    let (mut total, mut filled, mut too_long) = (0, 0, false);
    loop {
        let count = match input.bytes.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(unread(rows.file, input.packed, rows.line, total, &error)),
        };
        total += count as u64;
        let new = filled..filled + count;
        filled = new.end;
        let Some(last) = buffer[new.clone()].iter().rposition(|&byte| byte == b'\n') else {
            if filled == buffer.len() {
                (filled, too_long) = (0, true);
            }
            continue;
        };
        let end = new.start + last + 1;
        let begin = if too_long { rows.take_too_long(&buffer[..end])? } else { 0 };
        too_long = false;
        rows.take(&buffer[begin..end])?;
        buffer.copy_within(end..filled, 0);
        filled -= end;
    }
    if total < input.length {
        let error = io::Error::new(ErrorKind::UnexpectedEof, "the file became shorter while it was read");
        return Err(unread(rows.file, false, rows.line, total, &error));
    }
    if total == 0 {
        return Err(Failure::user(format!("{} is empty", rows.file.display()))
            .hint("An edge list has an owner and a contact on each line."));
    }
    if too_long {
        rows.take_too_long(&buffer[..filled])?;
        return Ok(());
    }
    rows.take(&buffer[..filled])
}

/// The rows of one file.
struct Rows<'a> {
    file: &'a Path,
    strict: bool,
    /// Lines read.
    line: u64,
    /// Whether a row was read, after which no header comes.
    begun: bool,
    /// Of all files.
    parts: Vec<Vec<Edge>>,
    /// In all files.
    skipped: u64,
}

impl Rows<'_> {
    /// Takes whole lines; the last one of a file may lack its end.
    fn take(&mut self, lines: &[u8]) -> Result<(), Failure> {
        let mut rest = lines;
        if self.line == 0 {
            rest = rest.strip_prefix(BYTE_ORDER_MARK).unwrap_or(rest);
        }
        while !rest.is_empty() {
            let length = if let Some((edge, length)) = row::read_plain(rest) {
                self.line += 1;
                self.keep(edge);
                length
            } else {
                let length = line_length(rest);
                self.take_line(&rest[..length])?;
                length
            };
            rest = &rest[length..];
        }
        Ok(())
    }

    #[cold]
    fn take_line(&mut self, line: &[u8]) -> Result<(), Failure> {
        self.line += 1;
        match row::read(line) {
            Row::Edge(edge) => self.keep(edge),
            Row::Nothing => {}
            Row::Header if !self.begun => self.begun = true,
            Row::Header => return self.skip(Fault::NotANumber),
            Row::Malformed(fault) => return self.skip(fault),
        }
        Ok(())
    }

    /// Takes the end of a line whose beginning was dropped; gives its length.
    fn take_too_long(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        self.line += 1;
        self.skip(Fault::TooLong)?;
        Ok(line_length(bytes))
    }

    #[inline(always)]
    fn keep(&mut self, edge: Edge) {
        self.begun = true;
        match self.parts.last_mut() {
            Some(part) if part.len() < PART_EDGES => part.push(edge),
            _ => {
                let mut part = Vec::with_capacity(PART_EDGES);
                part.push(edge);
                self.parts.push(part);
            }
        }
    }

    fn skip(&mut self, fault: Fault) -> Result<(), Failure> {
        let (file, line) = (self.file.display(), self.line);
        if self.strict {
            return Err(Failure::user(format!("{file}, line {line}: {fault}"))
                .hint("Correct the row; without --strict such rows are skipped."));
        }
        self.begun = true;
        self.skipped += 1;
        if self.skipped <= NAMED_MAX {
            say(&format!("{file}, line {line}: skipped: {fault}\n"));
        }
        Ok(())
    }
}

fn line_length(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| at + 1)
}

fn unread(file: &Path, packed: bool, line: u64, byte: u64, error: &io::Error) -> Failure {
    let (file, unpacked) = (file.display(), if packed { " of what it unpacks to" } else { "" });
    let failure = Failure::user(format!("{file} cannot be read beyond line {line}, byte {byte}{unpacked}"));
    match error.kind() {
        ErrorKind::UnexpectedEof if packed => failure.because_of("the gzip file is cut short"),
        _ if packed => failure.because_of("the gzip file is damaged").because(error),
        _ => return failure.because(error),
    }
    .hint("Fetch the file again; `gzip -t` tells whether it is whole.")
}

fn parquet(file: &Path) -> Failure {
    Failure::user(format!("{} is a Parquet file, which this version does not read", file.display()))
        .hint("Convert it to CSV with the columns owner and contact, and give that.")
}
