//! Compressed books, as they lie in the store.

use matching::book;

/// The size of the checksum at a blob's end.
const CHECKSUM_BYTES: usize = 4;

pub(crate) fn check(bytes: &[u8]) {
    let Some((&way, bytes)) = bytes.split_first() else { return };
    match way % 3 {
        0 => check_blob(bytes),
        // With a checksum that fits, the parser sees what lies behind it.
        1 => check_blob(&[bytes, &crc32(bytes).to_le_bytes()].concat()),
        _ => check_keys(bytes),
    }
}

fn check_blob(blob: &[u8]) {
    // Of a damaged blob the answer may be wrong, but there is one.
    let _ = (book::contains(blob, 1), book::contains(blob, u64::MAX), book::len(blob));
    let Ok(keys) = book::decode(blob) else { return };
    assert!(keys.is_sorted_by(|a, b| a < b), "keys ascend");
    assert_eq!(book::decode(&book::encode(&keys)).as_ref(), Ok(&keys), "what was read can be written");
    assert_eq!(book::len(blob), Ok(keys.len()));
    assert!(keys.iter().take(64).all(|key| book::contains(blob, *key) == Ok(true)));
}

fn check_keys(bytes: &[u8]) {
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        u64::from_le_bytes(word)
    });
    let mut keys: Vec<u64> = words.collect();
    let blob = book::encode(&keys);
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(book::decode(&blob), Ok(keys.clone()));
    assert!(blob.len() > CHECKSUM_BYTES);
    check_blob(&blob);
}

/// CRC-32 of IEEE 802.3, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}
