//! What an SMS centre sends: PDUs, deliveries, receipts, parts of long texts.

use bytes::{Bytes, BytesMut};
use smpp::text::{Reassembler, is_binary};
use smpp::wire::{Frame, FrameCodec, encode_frame};
use smpp::{DefaultAlphabet, Delivered, Part, fold_message_id, read_delivery};
use tokio_util::codec::Decoder;

/// Unfinished texts, and octets of them, that the reassembler under trial may hold.
const TEXTS_MAX: usize = 8;
const OCTETS_MAX: usize = 512;

pub(crate) fn check(bytes: &[u8]) {
    let Some((&way, bytes)) = bytes.split_first() else { return };
    match way % 3 {
        0 => check_framing(bytes, 1 + usize::from(way / 3)),
        1 => check_delivery(bytes),
        _ => check_joining(bytes),
    }
}

/// However the stream is cut, the same frames come out of it, and each is written as it was read.
fn check_framing(bytes: &[u8], piece: usize) {
    let whole = frames(&[bytes]);
    assert_eq!(whole, frames(&bytes.chunks(piece).collect::<Vec<_>>()));
    let written: Vec<u8> = whole.iter().flat_map(encode_frame).collect();
    assert!(bytes.starts_with(&written), "what was read is what was sent");
    whole.iter().for_each(|frame| check_delivery(&frame.body));
}

fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
    let (mut buffer, mut frames) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        while let Ok(Some(frame)) = FrameCodec.decode(&mut buffer) {
            frames.push(frame);
        }
    }
    frames
}

fn check_delivery(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    for alphabet in [DefaultAlphabet::Gsm, DefaultAlphabet::Latin1] {
        match read_delivery(&body, alphabet) {
            Delivered::Unreadable { raw } => assert_eq!(raw, bytes, "what cannot be read is kept as it came"),
            Delivered::Receipt(receipt) => {
                assert!(!receipt.message_id.is_empty(), "a receipt names a text");
                // One octet of Latin-1 is one character, and up to two bytes here.
                assert!(receipt.message_id.chars().count() <= bytes.len());
                let _ = fold_message_id(&receipt.message_id, smpp::MessageIdForm::Hex);
            }
            Delivered::Text(text) => {
                assert!(text.part.is_none_or(|part| part.is_sound()));
                let readable = text.body.text().is_some() || is_binary(text.body.data_coding);
                assert!(text.part.is_some() || readable, "a whole text can be read, unless it is none");
                assert!(text.body.octets.len() <= bytes.len());
            }
        }
    }
}

/// Parts in any order, of any claim: the reassembler keeps to its limits and joins only what came.
fn check_joining(bytes: &[u8]) {
    let mut join = Reassembler::new(TEXTS_MAX, OCTETS_MAX, 1_000);
    let mut came = 0;
    for (now_ms, step) in (0u64..).step_by(10).zip(bytes.chunks_exact(5)) {
        let &[who, reference, total, number, length] = step else { continue };
        let part = Part { reference: reference.into(), total: total % 6, number: number % 6 };
        let octets = vec![who; usize::from(length)];
        came += octets.len();
        let source = if who % 2 == 0 { "a" } else { "b" };
        if let Some(joined) = join.accept(now_ms, source, "c", part, 0, &octets) {
            assert!(part.is_sound() && joined.octets.len() <= came);
        }
        assert!(join.waiting() <= TEXTS_MAX);
    }
}
