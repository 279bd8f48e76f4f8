//! Bytes into text: the encodings that phones and spreadsheets export.

use encoding_rs::{Encoding, GB18030, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::ReadError;

/// How many bytes are looked at to tell UTF-16 from other text.
const SAMPLE_BYTES: usize = 8_192;

/// First bytes of packed files: zip (also of .xlsx), gzip, 7z, rar, xz, bzip2, zstd.
const PACKED: [&[u8]; 8] = [
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\xfd7zXZ\0",
    b"BZh",
    b"\x28\xb5\x2f\xfd",
];

/// First bytes of files that are not text: old Excel, SQLite, PDF, PNG, JPEG, GIF, ELF.
const NOT_TEXT: [&[u8]; 7] =
    [b"\xd0\xcf\x11\xe0", b"SQLite format 3\0", b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF"];

/// Refuses files that are known not to be text.
pub(super) fn refuse_binary(bytes: &[u8]) -> Result<(), ReadError> {
    let begins = |known: &[&[u8]]| known.iter().any(|magic| bytes.starts_with(magic));
    if bytes.is_empty() {
        Err(ReadError::Empty)
    } else if begins(&PACKED) {
        Err(ReadError::Packed)
    } else if begins(&NOT_TEXT) {
        Err(ReadError::NotText)
    } else {
        Ok(())
    }
}

/// Decodes a file: by its mark, as UTF-16 by its zero bytes, as strict UTF-8, else line by line.
///
/// Line ends come out as `\n`, one for one, so that line numbers stay true.
pub(super) fn decode(bytes: &[u8]) -> String {
    let text = match Encoding::for_bom(bytes) {
        Some((encoding, length)) if encoding != encoding_rs::UTF_8 => {
            let rest = bytes.get(length..).unwrap_or_default();
            encoding.decode_without_bom_handling(rest).0.into_owned()
        }
        Some((_, length)) => decode_unmarked(bytes.get(length..).unwrap_or_default()),
        None => decode_unmarked(bytes),
    };
    one_line_end(text)
}

fn decode_unmarked(bytes: &[u8]) -> String {
    if let Some(encoding) = find_utf16(bytes) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => decode_lines(bytes),
    };
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

/// UTF-16 has a zero byte in every ASCII character, at even places when its big end comes first.
fn find_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes);
    let zeros = |at: usize| sample.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    // A tenth: a book with Chinese names still has its keywords and digits in ASCII.
    if (even + odd) * 10 < sample.len() || even.abs_diff(odd) * 2 < even + odd {
        return None;
    }
    Some(if even > odd { UTF_16BE } else { UTF_16LE })
}

/// Each line in the encoding that fits it: merged files hold several, cut ones end inside a character.
fn decode_lines(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 2);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if let Ok(line) = std::str::from_utf8(line) {
            text.push_str(line);
            continue;
        }
        let (chinese, _, faulty) = GB18030.decode(line);
        if faulty {
            text.push_str(&WINDOWS_1252.decode(line).0);
        } else {
            text.push_str(&chinese);
        }
    }
    text
}

/// `\r\n`, the `\r\r\n` of a text transfer done twice, and the lone `\r` of old systems become `\n`.
fn one_line_end(text: String) -> String {
    if !text.contains('\r') {
        return text;
    }
    if text.contains('\n') {
        text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.replace('\r', "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "BEGIN:VCARD\nFN:欧阳修\nTEL:13900000000\nEND:VCARD\n";

    #[test]
    fn every_encoding_gives_the_same_text() {
        let utf16 = |big: bool, mark: bool| {
            let mark = if mark { "\u{feff}" } else { "" };
            let units = mark.encode_utf16().chain(TEXT.encode_utf16()).collect::<Vec<_>>();
            units
                .iter()
                .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
                .collect::<Vec<u8>>()
        };
        let marked = [b"\xef\xbb\xbf", TEXT.as_bytes()].concat();
        let chinese = GB18030.encode(TEXT).0.into_owned();
        let crlf = TEXT.replace('\n', "\r\n").into_bytes();
        let cr = TEXT.replace('\n', "\r").into_bytes();
        let all = [
            TEXT.as_bytes().to_vec(),
            marked,
            chinese,
            crlf,
            cr,
            utf16(true, true),
            utf16(false, true),
            utf16(true, false),
            utf16(false, false),
        ];
        for bytes in all {
            assert_eq!(decode(&bytes), TEXT, "{bytes:?}");
        }
    }

    #[test]
    fn a_cut_character_costs_its_line_only() {
        let whole = "FN:欧阳修\nFN:张".as_bytes();
        let text = decode(whole.get(..whole.len() - 1).unwrap());
        assert!(text.starts_with("FN:欧阳修\nFN:"), "{text}");
    }

    #[test]
    fn packed_files_are_named_as_such() {
        assert_eq!(refuse_binary(b"PK\x03\x04rest"), Err(ReadError::Packed));
        assert_eq!(refuse_binary(b"%PDF-1.7"), Err(ReadError::NotText));
        assert_eq!(refuse_binary(b""), Err(ReadError::Empty));
        assert_eq!(refuse_binary(b"BEGIN:VCARD"), Ok(()));
    }
}
