//! One subscriber's contacts: a sorted set of keys, compressed into one blob.
//!
//! Shape, all varints LEB128, all bit runs filled from the lowest bit of the lowest byte:
//!
//! ```text
//! format byte 1 | varint home count | varint far count | if far count > 0: varint first far key, varint far span
//! home low bits | home high bits | far low bits | far high bits | CRC-32 of all before it, little endian
//! ```
//!
//! Home keys are those below 2^34 (`HOME_KEYS_END`), where the keyed bijection of the national plan puts its
//! numbers, evenly spread; all others are far. Both are Elias-Fano runs: the home run over the fixed universe
//! [0, 2^34), the far run over [first far key, last far key]. 180 home keys take about 3.6 bytes each, as many
//! random 64-bit keys about 7.5; the information limit for the home ones is 3.5.
//!
//! Source: Elias, Efficient storage and retrieval by content and address of static files, 1974; Fano, On the
//! number of bits required to implement an associative memory, 1971; Vigna, Quasi-succinct indices, 2013.

mod bits;
mod checksum;
mod diff;
mod elias_fano;
mod layout;

#[cfg(test)]
mod tests;

pub use diff::{Diff, diff};

use elias_fano::Universe;
use layout::Layout;
use std::borrow::Cow;

/// First key above the home class: the home plan's keys are shorter than 34 bits (matching.md, the plan).
pub const HOME_KEYS_END: u64 = 1 << 34;

/// Says why a blob is not a book that [`encode`] wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BookDamaged {
    /// The first byte names a format that this version does not know, or there is no first byte.
    #[error("book has an unknown format")]
    Format,
    /// The blob is shorter or longer than its header says.
    #[error("book has a wrong length")]
    Length,
    /// The bytes are not the ones that were written.
    #[error("book has a wrong checksum")]
    Checksum,
    /// The runs contradict the header.
    #[error("book has contradictory content")]
    Content,
}

/// Compresses a set of keys into one blob, in O(n).
///
/// `sorted_keys` should be strictly ascending; any other order costs a sort of a copy and gives the blob of
/// the same set. The empty set is a blob of seven bytes.
pub fn encode(sorted_keys: &[u64]) -> Vec<u8> {
    let keys = strictly_ascending(sorted_keys);
    let (home, far) = keys.split_at(keys.partition_point(|&key| key < HOME_KEYS_END));
    let layout = Layout::for_keys(home.len(), far);
    let mut blob = Vec::with_capacity(layout.total_bytes());
    layout.write_header(&mut blob);
    elias_fano::write(&mut blob, layout.home, home);
    elias_fano::write(&mut blob, layout.far, far);
    blob.extend_from_slice(&checksum::crc32(&blob).to_le_bytes());
    blob
}

/// Reads all keys of a blob, strictly ascending, in O(n).
///
/// # Errors
/// [`BookDamaged`] when the blob is not, byte for byte, what [`encode`] wrote; one flipped byte, or any run of
/// up to 32 flipped bits, is always noticed.
pub fn decode(blob: &[u8]) -> Result<Vec<u64>, BookDamaged> {
    let layout = Layout::read(blob)?;
    layout.verify_checksum(blob)?;
    let mut keys = Vec::with_capacity(layout.home.count + layout.far.count);
    elias_fano::read(layout.home_run(blob), layout.home, &mut keys)?;
    elias_fano::read(layout.far_run(blob), layout.far, &mut keys)?;
    Ok(keys)
}

/// Tells whether a key stands in a blob, without decoding it: O(n / 64), no allocation.
///
/// The checksum is not looked at, so that a probe costs tens of nanoseconds: of a damaged blob the answer may
/// be wrong.
///
/// # Errors
/// [`BookDamaged`] when the header is unreadable or does not fit the blob's length.
pub fn contains(blob: &[u8], key: u64) -> Result<bool, BookDamaged> {
    let layout = Layout::read(blob)?;
    Ok(if key < HOME_KEYS_END {
        elias_fano::contains(layout.home_run(blob), layout.home, key)
    } else {
        elias_fano::contains(layout.far_run(blob), layout.far, key)
    })
}

/// Counts the keys of a blob from its header alone, in O(1).
///
/// # Errors
/// [`BookDamaged`] when the header is unreadable or does not fit the blob's length.
#[allow(clippy::len_without_is_empty, reason = "a function over blobs, not a collection")]
pub fn len(blob: &[u8]) -> Result<usize, BookDamaged> {
    let layout = Layout::read(blob)?;
    Ok(layout.home.count + layout.far.count)
}

fn strictly_ascending(keys: &[u64]) -> Cow<'_, [u64]> {
    if keys.is_sorted_by(|a, b| a < b) {
        return Cow::Borrowed(keys);
    }
    let mut copy = keys.to_vec();
    copy.sort_unstable();
    copy.dedup();
    Cow::Owned(copy)
}
