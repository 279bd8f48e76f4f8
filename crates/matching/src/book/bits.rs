//! Runs of bits in bytes, filled from the lowest bit of the lowest byte.

/// Appends values of few bits to a byte vector.
pub(super) struct BitWriter<'a> {
    bytes: &'a mut Vec<u8>,
    pending: u128,
    pending_bits: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self { bytes, pending: 0, pending_bits: 0 }
    }

    /// Appends the lowest `width` bits of `value`; `width` at most 64, higher bits of `value` zero.
    pub(super) fn push(&mut self, value: u64, width: u32) {
        self.pending |= u128::from(value) << self.pending_bits;
        self.pending_bits += width;
        if self.pending_bits >= 64 {
            self.bytes.extend_from_slice(&(self.pending as u64).to_le_bytes());
            self.pending >>= 64;
            self.pending_bits -= 64;
        }
    }

    /// Writes what is left, the last byte filled up with zero bits.
    pub(super) fn finish(self) {
        let left = self.pending_bits.div_ceil(8) as usize;
        self.bytes.extend_from_slice(&self.pending.to_le_bytes()[..left]);
    }
}

/// Reads eight bytes from `at` as one little-endian word; bytes beyond the end are zero.
#[inline]
pub(super) fn word_at(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => short_word(bytes.get(at..).unwrap_or_default()),
    }
}

#[cold]
fn short_word(rest: &[u8]) -> u64 {
    rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// Reads `width` bits (at most 63) from bit `at`; bits beyond the end are zero.
#[inline]
pub(super) fn bits_at(bytes: &[u8], at: usize, width: u32) -> u64 {
    let (byte, shift) = (at / 8, (at % 8) as u32);
    let mut value = word_at(bytes, byte) >> shift;
    if shift + width > 64 {
        let next = bytes.get(byte + 8).copied().unwrap_or(0);
        value |= u64::from(next) << (64 - shift);
    }
    value & ((1 << width) - 1)
}

/// Finds the place of the zero bit of `word` that has `rank` zero bits below it; 64 when there is none.
#[inline]
pub(super) fn place_of_zero(word: u64, rank: u32) -> u32 {
    let mut zeros = !word;
    for _ in 0..rank {
        zeros &= zeros.wrapping_sub(1);
    }
    zeros.trailing_zeros()
}
