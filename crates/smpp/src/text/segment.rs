//! Splitting a text into the segments that one submit_sm each carries.

use super::gsm;
use super::header::{Part, header_8, header_16};

/// The most parts a long text may have: the header counts them in one octet.
pub const SEGMENTS_MAX: usize = 255;

/// data_coding of the default alphabet.
const GSM: u8 = 0x00;
/// data_coding of UCS-2.
const UCS2: u8 = 0x08;

/// What one submit_sm carries of a text. `Debug` shows no text.
#[derive(Clone, PartialEq, Eq)]
pub struct Segment {
    /// data_coding: 0x00 GSM 7-bit, 0x08 UCS-2.
    pub data_coding: u8,
    /// Which part this is; `None` for a text in one piece.
    pub part: Option<Part>,
    /// The user data header; empty for a text in one piece.
    pub header: Vec<u8>,
    /// Septets one an octet, or UTF-16BE.
    pub octets: Vec<u8>,
}

impl Segment {
    /// The short_message field: header, then text.
    #[must_use]
    pub fn short_message(&self) -> Vec<u8> {
        [self.header.as_slice(), self.octets.as_slice()].concat()
    }
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Segment({:#04x}, {:?}, {} octets)", self.data_coding, self.part, self.octets.len())
    }
}

/// Splits a text into segments: GSM 7-bit where every character fits it, 160 septets alone or 153 a part;
/// otherwise UCS-2, 70 characters alone or 67 a part.
///
/// An extension character counts two septets; neither it nor a surrogate pair is ever split. Parts carry
/// the 8-bit header, which every handset reads, with the lower octet of `reference`. A text of more than
/// [`SEGMENTS_MAX`] parts gives an empty list. Source: 3GPP TS 23.040 section 9.2.3.24.1.
#[must_use]
pub fn segments(text: &str, reference: u16) -> Vec<Segment> {
    split(text, reference, header_8, 153, 134)
}

/// Splits as [`segments`] does, with the 16-bit header: 152 septets or 66 characters a part.
#[must_use]
pub fn segments_wide(text: &str, reference: u16) -> Vec<Segment> {
    split(text, reference, header_16, 152, 132)
}

fn split(
    text: &str,
    reference: u16,
    header: fn(Part) -> Vec<u8>,
    gsm_part: usize,
    ucs2_part: usize,
) -> Vec<Segment> {
    let septets: Option<Vec<_>> = text.chars().map(gsm::encode_char).collect();
    let (data_coding, pieces) = match septets {
        Some(units) => (GSM, pack(units.into_iter(), 160, gsm_part)),
        None => (UCS2, pack(text.chars().map(encode_ucs2), 140, ucs2_part)),
    };
    let total = match u8::try_from(pieces.len()) {
        Ok(total) => total,
        Err(_) => return Vec::new(),
    };
    let alone = pieces.len() == 1;
    (1..=total)
        .zip(pieces)
        .map(|(number, octets)| {
            let part = (!alone).then_some(Part { reference, total, number });
            Segment { data_coding, part, header: part.map(header).unwrap_or_default(), octets }
        })
        .collect()
}

fn encode_ucs2(c: char) -> ([u8; 4], usize) {
    let mut octets = [0; 4];
    let mut units = [0; 2];
    let units = c.encode_utf16(&mut units);
    for (pair, unit) in octets.chunks_exact_mut(2).zip(units.iter()) {
        pair.copy_from_slice(&unit.to_be_bytes());
    }
    (octets, units.len() * 2)
}

/// Packs characters, each whole, into one piece of at most `single` octets or else pieces of at most `part`.
fn pack(units: impl Iterator<Item = ([u8; 4], usize)> + Clone, single: usize, part: usize) -> Vec<Vec<u8>> {
    let octets: usize = units.clone().map(|(_, length)| length).sum();
    let limit = if octets <= single { single } else { part };
    let mut pieces = vec![Vec::new()];
    for (unit, length) in units {
        if pieces.last().is_some_and(|piece: &Vec<u8>| piece.len() + length > limit) {
            pieces.push(Vec::with_capacity(limit));
        }
        if let Some(piece) = pieces.last_mut() {
            piece.extend_from_slice(unit.get(..length).unwrap_or_default());
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{decode, split_header};
    use proptest::prelude::*;

    fn lengths(text: &str) -> Vec<usize> {
        segments(text, 7).iter().map(|segment| segment.octets.len()).collect()
    }

    #[test]
    fn limits_are_those_of_the_standard() {
        for (text, octets) in [
            ("", vec![0]),
            (&"a".repeat(160)[..], vec![160]),
            (&"a".repeat(161), vec![153, 8]),
            (&"a".repeat(153 * 2 + 1), vec![153, 153, 1]),
            (&"€".repeat(80), vec![160]),
            (&"€".repeat(81), vec![152, 10]),
            (&format!("{}€{}", "a".repeat(152), "a".repeat(10)), vec![152, 12]),
            (&"中".repeat(70), vec![140]),
            (&"中".repeat(71), vec![134, 8]),
            (&"😀".repeat(35), vec![140]),
            (&"😀".repeat(36), vec![132, 12]),
        ] {
            assert_eq!(lengths(text), octets, "{} characters", text.chars().count());
        }
    }

    #[test]
    fn one_foreign_character_makes_the_whole_text_ucs2() {
        assert_eq!(segments("abc", 1)[0].data_coding, 0x00);
        assert_eq!(segments("abc中", 1)[0].data_coding, 0x08);
        assert_eq!(segments("`", 1)[0].data_coding, 0x08);
    }

    #[test]
    fn a_text_of_too_many_parts_gives_none() {
        assert_eq!(segments(&"a".repeat(153 * 255), 1).len(), 255);
        assert!(segments(&"a".repeat(153 * 255 + 1), 1).is_empty());
    }

    #[test]
    fn debug_shows_no_text() {
        assert!(!format!("{:?}", segments("secret", 1)).contains("secret"));
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z0-9 @£€\\[\\]{}~^|\\\\]{0,700}",
            "[\u{4e00}-\u{9fff}]{0,300}",
            // Byte-order marks are obeyed on reading and do not return.
            prop::collection::vec(
                any::<char>().prop_filter("mark", |c| !['\u{feff}', '\u{fffe}'].contains(c)),
                0..300
            )
            .prop_map(|chars| chars.into_iter().collect()),
        ]
    }

    proptest! {
        #[test]
        fn every_part_reads_alone_and_all_together_return_the_text(text in texts(), reference: u16, wide: bool) {
            let segments = if wide { segments_wide(&text, reference) } else { segments(&text, reference) };
            let mut joined = String::new();
            for (index, segment) in segments.iter().enumerate() {
                let message = segment.short_message();
                // A handset packs septets, so 140 octets of air hold 160 of these.
                let room = if segment.data_coding == 0 { 160 } else { 140 };
                prop_assert!(message.len() <= room);
                let octets = if segment.header.is_empty() {
                    &message[..]
                } else {
                    let (part, body) = split_header(&message).unwrap();
                    let part = part.unwrap();
                    prop_assert_eq!(usize::from(part.number), index + 1);
                    prop_assert_eq!(usize::from(part.total), segments.len());
                    prop_assert_eq!(part.reference, if wide { reference } else { reference & 0xFF });
                    body
                };
                joined.push_str(&decode(segment.data_coding, octets).unwrap());
            }
            prop_assert_eq!(joined, text);
        }
    }
}
