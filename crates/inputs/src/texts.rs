//! Texts: from octets of any coding, and into segments and back.

use smpp::text::{SEGMENTS_MAX, Segment, decode, segments, segments_wide};

/// Octets, or septets written one an octet, of a text in one piece (3GPP TS 23.040, section 9.2.3.24.1).
const UCS2_OCTETS_MAX: usize = 140;
const SEPTETS_MAX: usize = 160;

pub(crate) fn check(bytes: &[u8]) {
    let Some((&coding, octets)) = bytes.split_first() else { return };
    if let Some(text) = decode(coding, octets) {
        assert!(text.chars().count() <= octets.len(), "no octet is two characters");
    }
    let text = String::from_utf8_lossy(octets);
    check_segments(&text, &segments(&text, coding.into()));
    check_segments(&text, &segments_wide(&text, coding.into()));
}

fn check_segments(text: &str, segments: &[Segment]) {
    let (Some(first), true) = (segments.first(), segments.len() <= SEGMENTS_MAX) else { return };
    for segment in segments {
        let octets = segment.header.len() + segment.octets.len();
        // A header takes the room of whole septets: 7 of them for 6 octets, 8 for 7.
        let limit = if segment.data_coding == 8 { UCS2_OCTETS_MAX } else { SEPTETS_MAX };
        assert!(octets <= limit, "{octets} octets in one segment");
        assert_eq!(segment.data_coding, first.data_coding);
        assert_eq!(segment.part.is_some(), segments.len() > 1);
    }
    // A byte-order mark is a sign about the text and not of it.
    if text.starts_with(['\u{feff}', '\u{fffe}']) {
        return;
    }
    let octets: Vec<u8> = segments.iter().flat_map(|segment| segment.octets.iter().copied()).collect();
    assert_eq!(decode(first.data_coding, &octets).as_deref(), Some(text), "a text comes back as it went");
}
