//! The file of pairs: there as a whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::Failure;

/// Written at once, so that system calls do not matter.
const BLOCK_BYTES: usize = 1 << 20;

/// A pair as text at its longest: two numbers of 20 digits, a comma, a line feed.
const PAIR_BYTES_MAX: usize = 42;

/// A file that has its name only once it is complete.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    /// Beside the final one, for a name can be changed within one file system only; gone when dropped.
    temporary: NamedTempFile,
}

impl Output {
    /// Begins a file of pairs.
    ///
    /// # Errors
    /// A [`Failure`] when a file of this name cannot be written, or would not be what its name says.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let ends = |ending| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending));
        if ends("parquet") || ends("gz") {
            return Err(Failure::user(format!("{} would not be what its name says", path.display()))
                .because_of("pairs are written as plain CSV alone")
                .hint("Name a file that ends in .csv, and convert it afterwards."));
        }
        let mut path = path.to_owned();
        if let Ok(there) = fs::metadata(&path) {
            if !there.is_file() {
                // A device or a directory would be replaced by the file, not written to.
                return Err(Failure::user(format!("{} is no ordinary file", path.display()))
                    .hint("Name a file that --output may replace."));
            }
            path = fs::canonicalize(&path).map_err(|error| unwritten(&path, &error))?;
        }
        let temporary = temporary_beside(&path).map_err(|error| unwritten(&path, &error))?;
        Ok(Self { path, temporary })
    }

    /// Writes the pairs and gives the file its name.
    ///
    /// # Errors
    /// A [`Failure`], after which nothing of it is left.
    pub(super) fn write(mut self, pairs: &[(u64, u64)]) -> Result<(), Failure> {
        let file = self.temporary.as_file_mut();
        // The disk may tell only now that it is full, and the name must not come before the content.
        write_pairs(file, pairs)
            .and_then(|()| file.sync_all())
            .and_then(|()| self.temporary.persist(&self.path).map(drop).map_err(|error| error.error))
            .map_err(|error| unwritten(&self.path, &error))
    }
}

fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hutong-match-").suffix(".part");
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    // Those of any new file, which the umask narrows; a temporary one would be its owner's alone.
    #[cfg(unix)]
    builder.permissions(permissions);
    builder.tempfile_in(directory)
}

fn write_pairs(output: &mut impl Write, pairs: &[(u64, u64)]) -> io::Result<()> {
    let mut block = Vec::with_capacity(BLOCK_BYTES + PAIR_BYTES_MAX);
    for &(a, b) in pairs {
        push_number(&mut block, a);
        block.push(b',');
        push_number(&mut block, b);
        block.push(b'\n');
        if block.len() >= BLOCK_BYTES {
            output.write_all(&block)?;
            block.clear();
        }
    }
    output.write_all(&block)
}

/// Appends a number in digits, several times as fast as `write!` does.
fn push_number(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] += (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[at..]);
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::user(format!("{} cannot be written", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_written_as_the_formatter_writes_them() {
        let pairs = [(0, 7), (9, 10), (99, 100), (1_234_567_890, u64::MAX)];
        let mut written = Vec::new();
        write_pairs(&mut written, &pairs).unwrap();
        let expected: String = pairs.iter().map(|(a, b)| format!("{a},{b}\n")).collect();
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn many_blocks_of_pairs_are_all_written() {
        let pairs = vec![(u64::MAX, u64::MAX); 60_000];
        let mut written = Vec::new();
        write_pairs(&mut written, &pairs).unwrap();
        assert_eq!(written.len(), pairs.len() * PAIR_BYTES_MAX);
    }
}
