//! A bijection that spreads keys evenly over the top bits.
//!
//! Keys come evenly spread only within their class (see [`crate::book`]), and tests and other callers bring
//! dense ones; tables and partitions want the top bits to be as good as random. Being a bijection it loses
//! nothing: two keys never share a spread form, so comparing spread forms is comparing keys.
//!
//! Source: two rounds of multiplying and folding, as in the finaliser of SplitMix64, with its multipliers (Steele,
//! Lea and Flood, Fast splittable pseudorandom number generators, 2014; Stafford, Better bit mixing, 2011).

const FIRST: u64 = 0xBF58_476D_1CE4_E5B9;
const SECOND: u64 = 0x94D0_49BB_1331_11EB;

/// Spreads keys of at most so many bits: to as many bits, at the top of a word.
///
/// Short keys so stay short, and a bucket's number and 32 bits more tell them apart. Multiplying carries bits upwards
/// only and leaves the zeros below; what is folded down is masked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    shift: u32,
    half: u32,
    mask: u64,
}

impl Spread {
    /// For keys of all 64 bits.
    const WHOLE: Self = Self { shift: 0, half: 32, mask: u64::MAX };

    /// For all keys whose bits are among those of `all`.
    pub(crate) fn for_bits_of(all: u64) -> Self {
        let bits = (u64::BITS - all.leading_zeros()).max(1);
        let shift = u64::BITS - bits;
        // At least half of the bits, so that folding twice undoes it.
        Self { shift, half: bits.div_ceil(2), mask: u64::MAX << shift }
    }

    /// How many bits the keys have.
    pub(crate) fn bits(self) -> u32 {
        u64::BITS - self.shift
    }

    /// Spreads a key.
    #[inline(always)]
    pub(crate) const fn of(self, key: u64) -> u64 {
        let key = (key << self.shift).wrapping_mul(FIRST);
        let key = (key ^ ((key >> self.half) & self.mask)).wrapping_mul(SECOND);
        key ^ ((key >> self.half) & self.mask)
    }

    /// Gives back the key.
    #[inline]
    pub(crate) const fn key_of(self, spread: u64) -> u64 {
        let key = (spread ^ ((spread >> self.half) & self.mask)).wrapping_mul(inverse(SECOND));
        (key ^ ((key >> self.half) & self.mask)).wrapping_mul(inverse(FIRST)) >> self.shift
    }
}

/// Spreads any key.
#[inline]
pub(crate) const fn mix(key: u64) -> u64 {
    Spread::WHOLE.of(key)
}

/// Gives back the key that [`mix`] spread.
#[cfg(test)]
pub(crate) const fn unmix(mixed: u64) -> u64 {
    Spread::WHOLE.key_of(mixed)
}

/// Inverts an odd number modulo 2^64: Newton's iteration doubles the right bits each time, from three.
const fn inverse(odd: u64) -> u64 {
    let mut guess = odd;
    let mut right_bits = 3;
    while right_bits < 64 {
        guess = guess.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(guess)));
        right_bits *= 2;
    }
    guess
}

#[cfg(test)]
mod tests {
    use super::{Spread, mix, unmix};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unmix_undoes_mix(key in any::<u64>()) {
            prop_assert_eq!(unmix(mix(key)), key);
            prop_assert_eq!(mix(unmix(key)), key);
        }

        #[test]
        fn keys_of_any_width_are_spread_within_it_and_given_back(key in any::<u64>(), bits in 1u32..=64) {
            let all = u64::MAX >> (64 - bits);
            let (spread, key) = (Spread::for_bits_of(all), key & all);
            prop_assert_eq!(spread.bits(), bits);
            prop_assert_eq!(spread.key_of(spread.of(key)), key);
            prop_assert_eq!(spread.of(key) & !(u64::MAX << (64 - bits)), 0);
        }
    }
}
