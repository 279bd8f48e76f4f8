//! From data_coding and octets to a text.

use super::gsm;

enum Alphabet {
    Gsm,
    Latin1,
    Ucs2,
    Binary,
}

/// Reads the octets of a text by its data_coding (SMPP 3.4 section 5.2.19; 3GPP TS 23.038 section 4 for the
/// message classes). `None` if the data_coding names no text, or UCS-2 has half a character.
///
/// A byte-order mark is obeyed and dropped; half a surrogate pair becomes U+FFFD.
#[must_use]
pub fn decode(data_coding: u8, octets: &[u8]) -> Option<String> {
    match alphabet(data_coding) {
        Alphabet::Gsm => Some(gsm::decode(octets)),
        Alphabet::Latin1 => Some(octets.iter().copied().map(char::from).collect()),
        Alphabet::Ucs2 => decode_ucs2(octets),
        Alphabet::Binary => None,
    }
}

/// Whether a data_coding names octets that are no text.
#[must_use]
pub fn is_binary(data_coding: u8) -> bool {
    matches!(alphabet(data_coding), Alphabet::Binary)
}

fn alphabet(data_coding: u8) -> Alphabet {
    match data_coding {
        0x00 => Alphabet::Gsm,
        0x01 | 0x03 => Alphabet::Latin1,
        0x08 => Alphabet::Ucs2,
        // General data coding with a message class: bits 3 and 2 name the alphabet.
        0x10..=0x1F => match data_coding & 0x0C {
            0x00 => Alphabet::Gsm,
            0x08 => Alphabet::Ucs2,
            _ => Alphabet::Binary,
        },
        // Message waiting indication; the group 0xE0 is the one in UCS-2.
        0xC0..=0xDF => Alphabet::Gsm,
        0xE0..=0xEF => Alphabet::Ucs2,
        0xF0..=0xFF if data_coding & 0x04 == 0 => Alphabet::Gsm,
        _ => Alphabet::Binary,
    }
}

fn decode_ucs2(octets: &[u8]) -> Option<String> {
    let (pairs, rest) = octets.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let little = pairs.first() == Some(&[0xFF, 0xFE]);
    let marked = little || pairs.first() == Some(&[0xFE, 0xFF]);
    let units = pairs
        .iter()
        .skip(usize::from(marked))
        .map(|&pair| if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) });
    Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_read_by_their_data_coding() {
        for (data_coding, octets, text) in [
            (0x00, &b"\x00\x02abc"[..], Some("@$abc")),
            (0x01, b"@$abc", Some("@$abc")),
            (0x03, b"caf\xe9", Some("café")),
            (0x08, b"\x4e\x2d\x65\x87", Some("中文")),
            (0x08, b"\xfe\xff\x4e\x2d", Some("中")),
            (0x08, b"\xff\xfe\x2d\x4e", Some("中")),
            (0x08, b"\xd8\x3d\xde\x00", Some("😀")),
            (0x08, b"\xd8\x3d", Some("\u{fffd}")),
            (0x08, b"\x4e", None),
            (0x18, b"\x4e\x2d", Some("中")),
            (0x11, b"ab", Some("ab")),
            (0xF1, b"ab", Some("ab")),
            (0xF5, b"ab", None),
            (0x04, b"ab", None),
            (0x02, b"ab", None),
        ] {
            assert_eq!(decode(data_coding, octets).as_deref(), text, "{data_coding:#x} {octets:?}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_make_decoding_panic(data_coding: u8, octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(data_coding, &octets);
        }
    }
}
