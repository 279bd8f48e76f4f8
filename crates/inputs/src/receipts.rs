//! The text of a delivery receipt, and the message ids in it.

use bytes::Bytes;
use smpp::{DefaultAlphabet, Delivered, MessageIdForm, fold_message_id, read_delivery};

/// The mandatory part of a receipt's body before its length: from a phone to a service, esm_class 4.
const BEFORE: &[u8] = b"\0\x01\x018613800138000\0\0\x0010690001\0\x04\0\0\0\0\0\0";

pub(crate) fn check(bytes: &[u8]) {
    let Some((&coding, text)) = bytes.split_first() else { return };
    // In UCS-2 for one in four; in the payload where it fits no short message.
    let coding = if coding % 4 == 3 { 8 } else { 0 };
    let (short, payload) = if text.len() <= 254 { (text, &b""[..]) } else { (&b""[..], text) };
    let mut body = BEFORE.to_vec();
    body.extend_from_slice(&[coding, 0, u8::try_from(short.len()).unwrap_or(0)]);
    body.extend_from_slice(short);
    if let (false, Ok(length)) = (payload.is_empty(), u16::try_from(payload.len())) {
        body.extend_from_slice(&[0x04, 0x24]);
        body.extend_from_slice(&length.to_be_bytes());
        body.extend_from_slice(payload);
    }
    match read_delivery(&Bytes::from(body.clone()), DefaultAlphabet::Gsm) {
        Delivered::Receipt(receipt) => {
            let id = &receipt.message_id;
            assert!(!id.is_empty() && !id.contains(char::is_whitespace), "an id is a word");
            if coding == 0 {
                let said: String = text.iter().copied().map(char::from).collect();
                assert!(said.contains(id.as_str()), "an id stands in the text");
            }
            assert!(receipt.error.is_none_or(|error| error.chars().any(|c| c != '0')));
            check_folding(id);
        }
        Delivered::Unreadable { raw } => assert_eq!(raw, body),
        Delivered::Text(_) => assert!(coding > 8, "a receipt is taken for a text"),
    }
}

/// Folding is done once and for all, and neither zeros before an id nor its case make a difference.
fn check_folding(id: &str) {
    for form in [MessageIdForm::Text, MessageIdForm::Decimal, MessageIdForm::Hex] {
        let folded = fold_message_id(id, form);
        if form != MessageIdForm::Hex {
            assert_eq!(fold_message_id(&folded, form), folded, "{form:?}");
        }
        if id.bytes().all(|b| b.is_ascii_alphanumeric()) && id != "0" {
            assert_eq!(
                fold_message_id(&format!("000{id}"), MessageIdForm::Text),
                fold_message_id(id, MessageIdForm::Text)
            );
            assert_eq!(
                fold_message_id(&id.to_ascii_uppercase(), form),
                fold_message_id(&id.to_ascii_lowercase(), form)
            );
        }
    }
}
