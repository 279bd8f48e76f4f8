//! User data headers and SAR TLVs: which part of a long text a delivery is.

use bytes::Bytes;
use smpp::{DefaultAlphabet, Delivered, read_delivery};

/// The mandatory part of a text's body before esm_class, and between it and data_coding.
const BEFORE: &[u8] = b"\0\x01\x018613800138000\0\0\x0010690001\0";
const BETWEEN: &[u8] = b"\0\0\0\0\0\0";

pub(crate) fn check(bytes: &[u8]) {
    let Some((&setting, rest)) = bytes.split_first() else { return };
    let (header, tlvs) = rest.split_at(rest.len().min(usize::from(setting) * 2).min(254));
    for esm_class in [0x00, 0x40] {
        let mut body = BEFORE.to_vec();
        body.push(esm_class);
        body.extend_from_slice(BETWEEN);
        body.extend_from_slice(&[4, 0, u8::try_from(header.len()).unwrap_or(0)]);
        body.extend_from_slice(header);
        body.extend_from_slice(tlvs);
        match read_delivery(&Bytes::from(body.clone()), DefaultAlphabet::Gsm) {
            Delivered::Text(text) => {
                assert!(text.part.is_none_or(|part| part.number >= 1 && part.number <= part.total));
                let octets = text.body.octets.as_slice();
                // What a header leaves is the end of what came; a payload's octets stand among the TLVs.
                let end =
                    header.ends_with(octets) || tlvs.windows(octets.len().max(1)).any(|one| one == octets);
                assert!(end || octets.is_empty(), "octets that did not come");
            }
            Delivered::Unreadable { raw } => assert_eq!(raw, body),
            Delivered::Receipt(receipt) => assert!(!receipt.message_id.is_empty()),
        }
    }
}
