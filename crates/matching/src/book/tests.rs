use super::layout::FORMAT;
use super::*;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

/// Keys as they come: home, foreign, dense, anywhere, and the ends of the range.
fn key() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => 0..HOME_KEYS_END,
        2 => 1u64 << 50..1 << 51,
        2 => 0u64..300,
        2 => any::<u64>(),
        1 => prop_oneof![Just(0), Just(HOME_KEYS_END - 1), Just(HOME_KEYS_END), Just(u64::MAX)],
    ]
}

fn keys() -> impl Strategy<Value = Vec<u64>> {
    btree_set(key(), 0..400).prop_map(|set| set.into_iter().collect())
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(keys in keys()) {
        let blob = encode(&keys);
        prop_assert_eq!(decode(&blob), Ok(keys.clone()));
        prop_assert_eq!(len(&blob), Ok(keys.len()));
    }

    #[test]
    fn contains_agrees_with_decode(keys in keys(), others in vec(key(), 0..50)) {
        let blob = encode(&keys);
        let near = keys.iter().flat_map(|key| [key.wrapping_sub(1), *key, key.wrapping_add(1)]);
        for probe in near.chain(others) {
            prop_assert_eq!(contains(&blob, probe), Ok(keys.binary_search(&probe).is_ok()));
        }
    }

    #[test]
    fn any_flipped_byte_is_noticed(keys in keys(), place in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut blob = encode(&keys);
        let place = place.index(blob.len());
        blob[place] ^= flip;
        prop_assert!(decode(&blob).is_err());
        let _ = (len(&blob), contains(&blob, 0), contains(&blob, u64::MAX));
    }

    #[test]
    fn any_truncation_or_tail_is_noticed(keys in keys(), cut in any::<prop::sample::Index>(), tail in vec(any::<u8>(), 1..9)) {
        let blob = encode(&keys);
        let mut longer = blob.clone();
        longer.extend(tail);
        prop_assert!(decode(&longer).is_err());
        prop_assert!(decode(&blob[..cut.index(blob.len())]).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in vec(any::<u8>(), 0..200), header in vec(0u8..20, 0..6), probe in key()) {
        bytes.splice(0..0, header);
        bytes.insert(0, FORMAT);
        // With the right checksum the content checks are reached as well.
        let sum = checksum::crc32(&bytes).to_le_bytes();
        bytes.extend(sum);
        let decoded = decode(&bytes);
        if let Ok(keys) = &decoded {
            prop_assert!(keys.is_sorted_by(|a, b| a < b));
        }
        let _ = (contains(&bytes, probe), len(&bytes), decode(&bytes[1..]), contains(&bytes[1..], probe));
    }

    #[test]
    fn a_book_in_any_order_is_the_same_book(keys in vec(key(), 0..100)) {
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        sorted.dedup();
        prop_assert_eq!(encode(&keys), encode(&sorted));
    }

    #[test]
    fn a_diff_leads_from_old_to_new(old in btree_set(0u64..60, 0..40), new in btree_set(0u64..60, 0..40)) {
        let as_list = |set: &std::collections::BTreeSet<u64>| set.iter().copied().collect::<Vec<_>>();
        let changes = diff(&as_list(&old), &as_list(&new));
        prop_assert_eq!(&changes.added, &new.difference(&old).copied().collect::<Vec<_>>());
        prop_assert_eq!(&changes.removed, &old.difference(&new).copied().collect::<Vec<_>>());
        prop_assert_eq!(changes.is_empty(), old == new);
    }
}

#[test]
fn every_single_bit_of_a_small_book_counts() {
    let blob = encode(&[0, 7, 1 << 33, HOME_KEYS_END, 1 << 50, u64::MAX]);
    for bit in 0..blob.len() * 8 {
        let mut damaged = blob.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(decode(&damaged).is_err(), "bit {bit}");
    }
}

#[test]
fn a_book_of_180_takes_at_most_4_bytes_a_home_key_and_8_a_random_one() {
    let spread = |index: u64| index.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let book = |shift: u32| {
        let mut keys: Vec<u64> = (1..=180).map(|index| spread(index) >> shift).collect();
        keys.sort_unstable();
        keys
    };
    assert!(encode(&book(30)).len() <= 180 * 4);
    assert!(encode(&book(0)).len() <= 180 * 8);
}

#[test]
fn the_format_stays_as_it_is() {
    // Stored books outlive the program: a change of these bytes needs a new format byte.
    // The bytes were written down from the description of the shape by another program.
    assert_eq!(encode(&[]), [1, 0, 0, 37, 179, 131, 254]);
    #[rustfmt::skip]
    let small = [1, 3, 1, 128, 128, 128, 128, 128, 128, 128, 2, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 7, 1, 31, 80, 124, 207];
    assert_eq!(encode(&[1, 2, 3, 1 << 50]), small);
}
