//! Reads address-book files and says what is in them.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use domain::Region;
use terminal::read::FILE_BYTES_MAX;
use terminal::scan::{Scan, ScannedFile};

use crate::failure::Failure;

/// Shows what was read.
///
/// # Errors
/// A [`Failure`] without a word when the output already says which file could not be read.
pub(super) fn show(scan: &Scan, json: bool) -> Result<(), Failure> {
    // Texts and integers cannot fail to be JSON.
    let text = if json { serde_json::to_string(scan).unwrap_or_default() + "\n" } else { as_sentences(scan) };
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))?;
    if scan.has_error() { Err(Failure::told()) } else { Ok(()) }
}

/// Reads the files; one that cannot be read is named in its place.
pub(super) fn scan_files(files: &[PathBuf], region: Region) -> Scan {
    let mut scan = Scan::default();
    for path in files {
        let name = path.to_string_lossy();
        match read_limited(path) {
            Ok(bytes) => scan.add(&name, &bytes, region),
            Err(error) => scan.add_unreadable(&name, &format!("the file cannot be opened: {error}")),
        }
    }
    scan
}

/// One byte more than the limit is enough to be refused as too large.
pub(super) fn read_limited(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What was read, for a person.
pub(super) fn as_sentences(scan: &Scan) -> String {
    let mut text = String::new();
    for file in &scan.files {
        // Writing to a text does not fail.
        let _ = describe(&mut text, file);
    }
    let _ = writeln!(text, "{} mobile numbers can be matched.", scan.matchable_numbers().len());
    text
}

fn describe(text: &mut String, file: &ScannedFile) -> std::fmt::Result {
    if let Some(error) = &file.error {
        return writeln!(text, "{}: {error}", file.file);
    }
    let (cards, telephones, numbers) = (file.cards, file.telephones.len(), file.numbers.len());
    writeln!(text, "{}: {cards} cards, {telephones} telephone fields, {numbers} numbers", file.file)?;
    for refused in &file.refused {
        writeln!(text, "  line {}: {} ({}) {}", refused.line, refused.value, refused.reason, refused.hint)?;
    }
    Ok(())
}
