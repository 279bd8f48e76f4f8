//! The user data header of a long text's part (3GPP TS 23.040 section 9.2.3.24).

/// Which part of a long text a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Part {
    /// Tells the parts of one text from those of another between the same two addresses.
    pub reference: u16,
    /// How many parts there are, from 1.
    pub total: u8,
    /// Which one this is, from 1 to `total`.
    pub number: u8,
}

impl Part {
    /// Says whether the number lies within the total; a peer may claim otherwise.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        (1..=self.total).contains(&self.number)
    }
}

/// Information element: concatenation with a reference of 8 bits.
const CONCATENATION_8: u8 = 0x00;
/// Information element: concatenation with a reference of 16 bits.
const CONCATENATION_16: u8 = 0x08;

/// The six octets of a header with an 8-bit reference; the upper octet of the reference is lost.
pub(crate) fn header_8(part: Part) -> Vec<u8> {
    let [_, low] = part.reference.to_be_bytes();
    vec![5, CONCATENATION_8, 3, low, part.total, part.number]
}

/// The seven octets of a header with a 16-bit reference.
pub(crate) fn header_16(part: Part) -> Vec<u8> {
    let [high, low] = part.reference.to_be_bytes();
    vec![6, CONCATENATION_16, 4, high, low, part.total, part.number]
}

/// Parts a header from the octets after it; `None` if the header claims more octets than there are.
/// An element this crate does not know is skipped; an unsound part is no part.
pub(crate) fn split_header(user_data: &[u8]) -> Option<(Option<Part>, &[u8])> {
    let (&length, rest) = user_data.split_first()?;
    let (mut elements, body) = rest.split_at_checked(usize::from(length))?;
    let mut part = None;
    while let Some((&[id, length], rest)) = elements.split_first_chunk::<2>() {
        let (value, rest) = rest.split_at_checked(usize::from(length))?;
        match (id, value) {
            (CONCATENATION_8, &[reference, total, number]) => {
                part = Some(Part { reference: u16::from(reference), total, number });
            }
            (CONCATENATION_16, &[high, low, total, number]) => {
                part = Some(Part { reference: u16::from_be_bytes([high, low]), total, number });
            }
            _ => {}
        }
        elements = rest;
    }
    Some((part.filter(Part::is_sound), body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PART: Part = Part { reference: 0x0142, total: 3, number: 2 };

    #[test]
    fn headers_return() {
        let mut octets = header_16(PART);
        octets.extend_from_slice(b"body");
        assert_eq!(split_header(&octets), Some((Some(PART), &b"body"[..])));
        let octets = header_8(PART);
        assert_eq!(split_header(&octets), Some((Some(Part { reference: 0x42, ..PART }), &b""[..])));
    }

    #[test]
    fn odd_headers_are_read_as_far_as_they_go() {
        // A port element before the concatenation.
        assert_eq!(
            split_header(b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x07\x02\x01x"),
            Some((Some(Part { reference: 7, total: 2, number: 1 }), &b"x"[..]))
        );
        assert_eq!(split_header(b"\x05\x00\x03\x07\x02\x03x"), Some((None, &b"x"[..])), "part 3 of 2");
        assert_eq!(split_header(b"\x05\x00\x03\x07\x02\x00x"), Some((None, &b"x"[..])), "part 0");
        assert_eq!(split_header(b"\x09\x00\x03"), None, "longer than the octets");
        assert_eq!(split_header(b"\x02\x00\x03"), None, "element longer than the header");
        assert_eq!(split_header(b""), None);
        assert_eq!(split_header(b"\x00x"), Some((None, &b"x"[..])));
    }

    proptest! {
        #[test]
        fn no_octets_make_the_header_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = split_header(&octets);
        }
    }
}
