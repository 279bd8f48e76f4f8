//! Splitting a text into the segments that one submit_sm each carries.

use super::gsm;
use super::header::{Part, header_8, header_16};

/// The most parts a long text may have: the header counts them in one octet.
pub const SEGMENTS_MAX: usize = 255;

/// data_coding of the default alphabet.
const GSM: u8 = 0x00;
/// data_coding of ISO 8859-1.
const LATIN1: u8 = 0x03;
/// data_coding of octets that are no text.
const BINARY: u8 = 0x04;
/// data_coding of UCS-2.
const UCS2: u8 = 0x08;

/// Octets of the longest short_message field (SMPP 3.4 section 5.2.22).
const SHORT_MESSAGE_OCTETS_MAX: usize = 254;
/// Octets of the longest message_payload: what leaves room for the rest in a PDU of 64 KiB.
const PAYLOAD_OCTETS_MAX: usize = 63 * 1024;

/// What one submit_sm carries of a text. `Debug` shows no text.
#[derive(Clone, PartialEq, Eq)]
pub struct Segment {
    /// data_coding: 0x00 GSM 7-bit, 0x03 ISO 8859-1, 0x04 octets, 0x08 UCS-2.
    pub data_coding: u8,
    /// Which part this is; `None` for a text in one piece.
    pub part: Option<Part>,
    /// The user data header; empty for a text in one piece, and for a part that SAR TLVs mark.
    pub header: Vec<u8>,
    /// Septets one an octet, or UTF-16BE.
    pub octets: Vec<u8>,
}

impl Segment {
    /// Makes a segment of octets that are no text; nothing is added to them and nothing changed.
    #[must_use]
    pub fn binary(octets: Vec<u8>) -> Self {
        Self { data_coding: BINARY, part: None, header: Vec::new(), octets }
    }

    /// Whether it is too long for the short_message field, and goes in a message_payload TLV.
    pub(crate) fn is_payload(&self) -> bool {
        self.header.len() + self.octets.len() > SHORT_MESSAGE_OCTETS_MAX
    }

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

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alphabet {
    /// GSM 7-bit where every character fits it, otherwise UCS-2.
    #[default]
    Fitting,
    /// ISO 8859-1 where every character fits it, otherwise UCS-2: for centres whose default alphabet is not GSM's.
    Latin1,
    /// UCS-2.
    Ucs2,
}

/// How the parts of a long text are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Marking {
    /// By a header with a reference of 8 bits, which every handset reads.
    #[default]
    Header8,
    /// By a header with a reference of 16 bits.
    Header16,
    /// By SAR TLVs; the centre makes the header.
    Sar,
    /// Not at all: the whole goes in one message_payload TLV, and the centre cuts it.
    Payload,
}

/// Splits a text into segments: GSM 7-bit where every character fits it, 160 septets alone or 153 a part;
/// otherwise UCS-2, 70 characters alone or 67 a part.
///
/// An extension character counts two septets; neither it nor a surrogate pair is ever split. Parts carry
/// the 8-bit header, which every handset reads, with the lower octet of `reference`. A text of more than
/// [`SEGMENTS_MAX`] parts gives an empty list. Source: 3GPP TS 23.040 section 9.2.3.24.1.
#[must_use]
pub fn segments(text: &str, reference: u16) -> Vec<Segment> {
    segments_as(text, reference, Alphabet::Fitting, Marking::Header8)
}

/// Splits as [`segments`] does, with the 16-bit header: 152 septets or 66 characters a part.
#[must_use]
pub fn segments_wide(text: &str, reference: u16) -> Vec<Segment> {
    segments_as(text, reference, Alphabet::Fitting, Marking::Header16)
}

/// Splits as [`segments`] does, in this alphabet and with parts so marked. ISO 8859-1 has 140 characters
/// alone, and 134 or 133 a part.
#[must_use]
pub fn segments_as(text: &str, reference: u16, alphabet: Alphabet, marking: Marking) -> Vec<Segment> {
    let (data_coding, units) = encode(text, alphabet);
    let (single, part) = match (data_coding, marking) {
        (_, Marking::Payload) => (PAYLOAD_OCTETS_MAX, PAYLOAD_OCTETS_MAX),
        (GSM, Marking::Header16) => (160, 152),
        (GSM, _) => (160, 153),
        (UCS2, Marking::Header16) => (140, 132),
        (_, Marking::Header16) => (140, 133),
        _ => (140, 134),
    };
    let pieces = pack(units.into_iter(), single, part);
    let Ok(total) = u8::try_from(pieces.len()) else { return Vec::new() };
    if marking == Marking::Payload && total > 1 {
        return Vec::new();
    }
    let alone = total == 1;
    (1..=total)
        .zip(pieces)
        .map(|(number, octets)| {
            let part = (!alone).then_some(Part { reference, total, number });
            let header = match marking {
                Marking::Header8 => part.map(header_8),
                Marking::Header16 => part.map(header_16),
                Marking::Sar | Marking::Payload => None,
            };
            Segment { data_coding, part, header: header.unwrap_or_default(), octets }
        })
        .collect()
}

/// One character as octets.
type Unit = ([u8; 4], usize);

fn encode(text: &str, alphabet: Alphabet) -> (u8, Vec<Unit>) {
    let fitting: Option<Vec<Unit>> = match alphabet {
        Alphabet::Fitting => text.chars().map(gsm::encode_char).collect(),
        Alphabet::Latin1 => {
            text.chars().map(|c| u8::try_from(c).ok().map(|octet| ([octet, 0, 0, 0], 1))).collect()
        }
        Alphabet::Ucs2 => None,
    };
    match (fitting, alphabet) {
        (Some(units), Alphabet::Latin1) => (LATIN1, units),
        (Some(units), _) => (GSM, units),
        (None, _) => (UCS2, text.chars().map(encode_ucs2).collect()),
    }
}

fn encode_ucs2(c: char) -> Unit {
    let mut octets = [0; 4];
    let mut units = [0; 2];
    let units = c.encode_utf16(&mut units);
    for (pair, unit) in octets.chunks_exact_mut(2).zip(units.iter()) {
        pair.copy_from_slice(&unit.to_be_bytes());
    }
    (octets, units.len() * 2)
}

/// Packs characters, each whole, into one piece of at most `single` octets or else pieces of at most `part`.
fn pack(units: impl Iterator<Item = Unit> + Clone, single: usize, part: usize) -> Vec<Vec<u8>> {
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
    fn latin_1_and_its_parts_have_their_own_limits() {
        for (text, marking, octets) in [
            ("é".repeat(140), Marking::Header8, vec![140]),
            ("é".repeat(141), Marking::Header8, vec![134, 7]),
            ("é".repeat(141), Marking::Header16, vec![133, 8]),
            ("é".repeat(141), Marking::Sar, vec![134, 7]),
            ("é".repeat(300), Marking::Payload, vec![300]),
            ("é中".to_owned(), Marking::Header8, vec![4]),
        ] {
            let segments = segments_as(&text, 7, Alphabet::Latin1, marking);
            assert_eq!(
                segments.iter().map(|one| one.octets.len()).collect::<Vec<_>>(),
                octets,
                "{marking:?}"
            );
        }
        assert!(
            segments_as(&"中".repeat(PAYLOAD_OCTETS_MAX), 7, Alphabet::Ucs2, Marking::Payload).is_empty()
        );
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
