//! The body that deliver_sm and submit_sm share (SMPP 3.4 sections 4.4.1 and 4.6.1).

use bytes::{Bytes, BytesMut};
use rusmpp::decode::DecodeWithLength;
use rusmpp::pdus::DeliverSm;

use crate::address::Address;
use crate::text::{Part, split_header};

/// Tags of SMPP 3.4 section 5.3.2 that are read here.
pub(crate) mod tag {
    pub(crate) const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
    pub(crate) const SAR_REFERENCE: u16 = 0x020C;
    pub(crate) const SAR_TOTAL: u16 = 0x020E;
    pub(crate) const SAR_NUMBER: u16 = 0x020F;
    pub(crate) const MESSAGE_PAYLOAD: u16 = 0x0424;
    pub(crate) const MESSAGE_STATE: u16 = 0x0427;
}

/// esm_class bit: the short message begins with a user data header (SMPP 3.4 section 5.2.12).
pub(crate) const UDH_INDICATOR: u8 = 0x40;

/// A deliver_sm or submit_sm body, read.
pub(crate) struct ShortMessage {
    pub(crate) source: Address,
    pub(crate) destination: Address,
    pub(crate) esm_class: u8,
    #[cfg(feature = "simulator")]
    pub(crate) registered_delivery: u8,
    pub(crate) data_coding: u8,
    short_message: Bytes,
    tlvs: Vec<(u16, Bytes)>,
}

impl ShortMessage {
    /// Reads a body; `None` if its mandatory part is malformed.
    ///
    /// The optional part is walked here and not by the codec, which drops the whole PDU over one value it
    /// dislikes: real centres send receipted_message_id without its NUL, and a receipt must not be lost by that.
    pub(crate) fn read(body: &Bytes) -> Option<Self> {
        let mandatory = mandatory_octets(body)?;
        let mut fields = BytesMut::from(body.get(..mandatory)?);
        let (read, _) = DeliverSm::decode(&mut fields, mandatory).ok()?;
        Some(Self {
            source: Address {
                ton: read.source_addr_ton.into(),
                npi: read.source_addr_npi.into(),
                digits: read.source_addr.to_string(),
            },
            destination: Address {
                ton: read.dest_addr_ton.into(),
                npi: read.dest_addr_npi.into(),
                digits: read.destination_addr.to_string(),
            },
            esm_class: read.esm_class.into(),
            #[cfg(feature = "simulator")]
            registered_delivery: read.registered_delivery.into(),
            data_coding: read.data_coding.into(),
            short_message: read.short_message().clone().into_bytes(),
            tlvs: read_tlvs(body.slice(mandatory..)),
        })
    }

    /// The value of the first TLV with this tag.
    pub(crate) fn tlv(&self, tag: u16) -> Option<&Bytes> {
        self.tlvs.iter().find(|(known, _)| *known == tag).map(|(_, value)| value)
    }

    /// The user data, from message_payload if it is there, else from short_message.
    pub(crate) fn user_data(&self) -> &Bytes {
        self.tlv(tag::MESSAGE_PAYLOAD).unwrap_or(&self.short_message)
    }

    /// The text's octets and which part they are; `None` if the user data header is malformed.
    pub(crate) fn text(&self) -> Option<(Option<Part>, &[u8])> {
        let user_data = self.user_data();
        if self.esm_class & UDH_INDICATOR != 0 {
            let (part, octets) = split_header(user_data)?;
            return Some((part.or_else(|| self.sar()), octets));
        }
        Some((self.sar(), user_data))
    }

    fn sar(&self) -> Option<Part> {
        let reference = self.tlv(tag::SAR_REFERENCE).and_then(number)?;
        let total = self.tlv(tag::SAR_TOTAL).and_then(number)?;
        let number = self.tlv(tag::SAR_NUMBER).and_then(number)?;
        let part = Part { reference, total: u8::try_from(total).ok()?, number: u8::try_from(number).ok()? };
        part.is_sound().then_some(part)
    }
}

/// A number of one or two octets, whichever the peer sent.
fn number(value: &Bytes) -> Option<u16> {
    match value[..] {
        [low] => Some(u16::from(low)),
        [high, low] => Some(u16::from_be_bytes([high, low])),
        _ => None,
    }
}

/// How many octets the mandatory fields take, so that the codec reads those and no more.
fn mandatory_octets(body: &[u8]) -> Option<usize> {
    let string = |from: usize| Some(from + body.get(from..)?.iter().position(|&octet| octet == 0)? + 1);
    let source = string(0)? + 2;
    let destination = string(source)? + 2;
    // esm_class, protocol_id, priority_flag.
    let schedule = string(destination)? + 3;
    let validity = string(schedule)?;
    // registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id.
    let sm_length = string(validity)? + 4;
    let end = sm_length + 1 + usize::from(*body.get(sm_length)?);
    (end <= body.len()).then_some(end)
}

/// Walks the optional part; what is cut off at its end is dropped.
fn read_tlvs(mut rest: Bytes) -> Vec<(u16, Bytes)> {
    let mut tlvs = Vec::new();
    while let Some(&[tag_high, tag_low, high, low]) = rest.first_chunk::<4>() {
        let end = 4 + usize::from(u16::from_be_bytes([high, low]));
        if end > rest.len() {
            break;
        }
        tlvs.push((u16::from_be_bytes([tag_high, tag_low]), rest.slice(4..end)));
        rest = rest.slice(end..);
    }
    tlvs
}

/// A C octet string without its NUL, which some peers forget; `None` if it is not ASCII.
pub(crate) fn c_string(value: &[u8]) -> Option<String> {
    let value = value.split(|&octet| octet == 0).next()?;
    value.is_ascii().then(|| String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body(esm_class: u8, message: &[u8], tlvs: &[u8]) -> Bytes {
        let mut body = b"\0\x01\x01861\0\0\x00106\0".to_vec();
        body.extend_from_slice(&[esm_class, 0, 0, 0, 0, 0, 0, 8, 0, u8::try_from(message.len()).unwrap()]);
        body.extend_from_slice(message);
        body.extend_from_slice(tlvs);
        body.into()
    }

    #[test]
    fn a_body_reads() {
        let read = ShortMessage::read(&body(0x04, b"ab", b"\x00\x1e\x00\x03abc\x99\x99\x00\x00")).unwrap();
        assert_eq!(read.source, Address { ton: 1, npi: 1, digits: "861".into() });
        assert_eq!(read.destination, Address::short_code("106"));
        assert_eq!((read.esm_class, read.data_coding), (0x04, 8));
        assert_eq!(read.text(), Some((None, &b"ab"[..])));
        assert_eq!(read.tlv(tag::RECEIPTED_MESSAGE_ID).unwrap(), &b"abc"[..], "no NUL, and still read");
    }

    #[test]
    fn message_payload_goes_before_short_message() {
        let read = ShortMessage::read(&body(0, b"", b"\x04\x24\x00\x02hi")).unwrap();
        assert_eq!(read.text(), Some((None, &b"hi"[..])));
    }

    #[test]
    fn sar_tlvs_name_a_part() {
        let tlvs = b"\x02\x0c\x00\x02\x01\x02\x02\x0e\x00\x01\x02\x02\x0f\x00\x01\x01";
        let read = ShortMessage::read(&body(0, b"a", tlvs)).unwrap();
        assert_eq!(read.text(), Some((Some(Part { reference: 0x0102, total: 2, number: 1 }), &b"a"[..])));
    }

    #[test]
    fn a_tlv_cut_off_is_dropped_and_the_rest_kept() {
        let read = ShortMessage::read(&body(0, b"a", b"\x04\x27\x00\x01\x02\x00\x1e\x00\x09ab")).unwrap();
        assert_eq!(read.tlvs.len(), 1);
    }

    #[test]
    fn malformed_bodies_are_none() {
        let whole = body(0, b"abc", b"");
        for end in 0..whole.len() {
            assert!(ShortMessage::read(&whole.slice(..end)).is_none(), "{end} octets");
        }
    }

    proptest! {
        #[test]
        fn no_octets_make_reading_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(read) = ShortMessage::read(&Bytes::from(octets)) { let _ = read.text(); }
        }

        #[test]
        fn no_change_to_a_good_body_makes_reading_panic(at in any::<prop::sample::Index>(), octet: u8, esm: u8) {
            let mut octets = body(esm, b"\x05\x00\x03\x01\x02\x01abc", b"\x04\x27\x00\x01\x02").to_vec();
            let at = at.index(octets.len());
            octets[at] = octet;
            if let Some(read) = ShortMessage::read(&Bytes::from(octets)) { let _ = read.text(); }
        }
    }
}
