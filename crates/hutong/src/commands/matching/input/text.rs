//! Edge lists as text, plain or unpacked on the way: one thread after the other takes the next block of whole
//! lines from the file and reads its rows while the others do the same.

use std::io::{self, Cursor, ErrorKind, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use matching::bulk::Edge;

use super::row::{self, Row};
use super::{Broken, Reading, faults::Fault};
use crate::failure::Failure;

/// Read at once, and about the most a line may have.
const BLOCK_BYTES: usize = 1 << 20;

/// What some programs put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// A file's bytes, unpacked.
pub(super) struct Input<'a> {
    pub(super) file: &'a Path,
    pub(super) bytes: Box<dyn Read + Send>,
    pub(super) packed: bool,
    /// How many there are at least, where that is known.
    pub(super) length: u64,
}

/// Reads all rows of a file.
///
/// # Errors
/// Those of the file, which name the place where reading ended, and of whoever takes the edges.
pub(super) fn read(input: Input, reading: &Reading) -> Result<(), Failure> {
    let lines =
        Mutex::new(Lines { input, carried: Vec::new(), line: 0, total: 0, begun: false, dropping: false });
    reading.share(|| {
        let mut buffer = Vec::new();
        while !reading.stopped() {
            let next = lines.lock().unwrap_or_else(PoisonError::into_inner).next(&mut buffer);
            let place = next.map_err(Broken::Input)?;
            let Some((kind, line)) = place else { break };
            match kind {
                Kind::Rows { lines } => take(&buffer, line, lines, reading)?,
                Kind::TooLong => reading.note(line, Fault::TooLong),
            }
        }
        Ok(())
    })
}

/// What is cut off a file.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// So many whole lines; the last one of a file may lack its end.
    Rows { lines: usize },
    /// One line that is longer than a line may be, and was dropped.
    TooLong,
}

/// Cuts a file into blocks of whole lines.
struct Lines<'a> {
    input: Input<'a>,
    /// The beginning of the next block.
    carried: Vec<u8>,
    /// Lines cut off so far.
    line: u64,
    /// Bytes read so far.
    total: u64,
    begun: bool,
    /// Whether what comes next is the rest of a line that is too long.
    dropping: bool,
}

impl Lines<'_> {
    /// Cuts the next block off, into the buffer; tells what it is and the number of its first line.
    fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Option<(Kind, u64)>, Failure> {
        loop {
            let ended = self.fill(buffer)?;
            if !self.begun {
                self.begun = true;
                let mark = if buffer.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
                buffer.drain(..mark);
            }
            if self.dropping {
                let line_end = memchr::memchr(b'\n', buffer);
                self.carried.extend_from_slice(line_end.map_or(&[][..], |end| &buffer[end + 1..]));
                self.dropping = line_end.is_none() && !ended;
                if self.dropping {
                    continue;
                }
                self.line += 1;
                return Ok(Some((Kind::TooLong, self.line)));
            }
            let end = match memchr::memrchr(b'\n', buffer) {
                _ if ended => buffer.len(),
                Some(end) => end + 1,
                None => {
                    self.dropping = true;
                    continue;
                }
            };
            self.carried.extend_from_slice(&buffer[end..]);
            buffer.truncate(end);
            if buffer.is_empty() {
                return Ok(None);
            }
            let first = self.line + 1;
            let open = usize::from(buffer.last() != Some(&b'\n'));
            let lines = memchr::memchr_iter(b'\n', buffer).count() + open;
            self.line += lines as u64;
            return Ok(Some((Kind::Rows { lines }, first)));
        }
    }

    /// Fills the buffer, first with what was carried over; tells whether the file has ended.
    fn fill(&mut self, buffer: &mut Vec<u8>) -> Result<bool, Failure> {
        let kept = self.carried.len();
        // What is in it already need not be cleared before it is overwritten.
        buffer.resize(BLOCK_BYTES.max(2 * kept), 0);
        buffer[..kept].copy_from_slice(&self.carried);
        self.carried.clear();
        let mut filled = kept;
        while filled < buffer.len() {
            match self.input.bytes.read(&mut buffer[filled..]) {
                Ok(0) => {
                    buffer.truncate(filled);
                    self.check_end(buffer)?;
                    return Ok(true);
                }
                Ok(count) => {
                    filled += count;
                    self.total += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unread(&buffer[..filled], &error)),
            }
        }
        Ok(false)
    }

    /// Whether all was there that should be, with what was read last.
    fn check_end(&self, last: &[u8]) -> Result<(), Failure> {
        if self.total < self.input.length {
            let words = "the file became shorter while it was read";
            return Err(self.unread(last, &io::Error::new(ErrorKind::UnexpectedEof, words)));
        }
        if self.total == 0 {
            return Err(Failure::user(format!("{} is empty", self.input.file.display()))
                .hint("An edge list has an owner and a contact on each line."));
        }
        Ok(())
    }

    fn unread(&self, last: &[u8], error: &io::Error) -> Failure {
        let Input { file, packed, .. } = &self.input;
        let line = self.line + memchr::memchr_iter(b'\n', last).count() as u64;
        unread(file, *packed, (line, self.total), error)
    }
}

/// Says that a file cannot be read beyond a line and a byte.
pub(super) fn unread(file: &Path, packed: bool, (line, byte): (u64, u64), error: &io::Error) -> Failure {
    let (file, unpacked) = (file.display(), if packed { " of what it unpacks to" } else { "" });
    let failure = Failure::user(format!("{file} cannot be read beyond line {line}, byte {byte}{unpacked}"));
    match error.kind() {
        ErrorKind::UnexpectedEof if packed => failure.because_of("the gzip file is cut short"),
        _ if packed => failure.because_of("the gzip file is damaged").because(error),
        _ => return failure.because(error),
    }
    .hint("Fetch the file again; `gzip -t` tells whether it is whole.")
}

/// Reads the rows of a block.
fn take(block: &[u8], first: u64, lines: usize, reading: &Reading) -> Result<(), Broken> {
    let mut edges: Vec<Edge> = Vec::with_capacity(lines);
    let (mut rest, mut line) = (block, first);
    // A header stands above all rows, and so in the first block.
    let mut begun = first > 1;
    while !rest.is_empty() {
        let length = if let Some((edge, length)) = row::read_plain(rest) {
            edges.push(edge);
            begun = true;
            length
        } else {
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            let row = row::read(&rest[..length]);
            match row {
                Row::Edge(edge) => edges.push(edge),
                Row::Nothing => {}
                Row::Header if !begun => {}
                Row::Header => reading.note(line, Fault::NotANumber),
                Row::Malformed(fault) => reading.note(line, fault),
            }
            begun |= row != Row::Nothing;
            length
        };
        rest = &rest[length..];
        line += 1;
    }
    reading.keep(edges)
}

/// Looks at the first bytes, which come again from the reader given back.
pub(super) fn peek(mut input: impl Read + Send, count: usize) -> io::Result<(Vec<u8>, impl Read + Send)> {
    let mut head = Vec::new();
    input.by_ref().take(count as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(input)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], length: u64) -> Lines<'static> {
        let bytes: Box<dyn Read + Send> = Box::new(Cursor::new(text.to_vec()));
        let input = Input { file: Path::new("edges"), bytes, packed: false, length };
        Lines { input, carried: Vec::new(), line: 0, total: 0, begun: false, dropping: false }
    }

    #[test]
    fn a_file_is_cut_into_whole_lines_that_are_counted() {
        // Lines of 1 to 64 bytes, of which some 3 MB come in several blocks, the last one without an end.
        let text: String = (0..100_000).map(|at| "7".repeat(at * 31 % 64) + "\n").collect::<String>() + "8";
        let mut lines = lines(text.as_bytes(), text.len() as u64);
        let (mut buffer, mut all, mut expected) = (Vec::new(), Vec::new(), 1);
        while let Some((kind, first)) = lines.next(&mut buffer).unwrap() {
            let count = buffer.split_inclusive(|&byte| byte == b'\n').count();
            assert_eq!((kind, first), (Kind::Rows { lines: count }, expected));
            expected += count as u64;
            all.extend_from_slice(&buffer);
        }
        assert_eq!(expected, 100_002);
        assert!(all == text.as_bytes());
    }

    #[test]
    fn a_line_that_is_too_long_is_one_line() {
        let text = ["1 2\n", &"9".repeat(3 << 20), "\n2 1\n"].concat();
        let mut lines = lines(text.as_bytes(), 0);
        let mut buffer = Vec::new();
        let mut found = Vec::new();
        while let Some((kind, first)) = lines.next(&mut buffer).unwrap() {
            found.push((kind == Kind::TooLong, first));
        }
        assert_eq!(found, [(false, 1), (true, 2), (false, 3)]);
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error_with_its_place() {
        let text = "1 2\n".repeat(10);
        let mut lines = lines(text.as_bytes(), 41);
        let failure = loop {
            match lines.next(&mut Vec::new()) {
                Ok(next) => assert!(next.is_some(), "no error"),
                Err(failure) => break failure,
            }
        };
        let words = format!("{failure:?}");
        assert!(
            words.contains("edges cannot be read beyond line 10, byte 40") && words.contains("shorter"),
            "{words}"
        );
    }
}
