//! A bijection that spreads keys evenly over all 64 bits.
//!
//! Keys come evenly spread only within their class (see [`crate::book`]), and tests and other callers bring
//! dense ones; tables and partitions want the top bits to be as good as random. Being a bijection it loses
//! nothing: two keys never share a mixed form, so comparing mixed forms is comparing keys.
//!
//! Source: Stafford, Better bit mixing, 2011, variant 13 (the finaliser of SplitMix64: Steele, Lea and Flood,
//! Fast splittable pseudorandom number generators, 2014).

const FIRST: u64 = 0xBF58_476D_1CE4_E5B9;
const SECOND: u64 = 0x94D0_49BB_1331_11EB;

/// Spreads a key.
#[inline]
pub(crate) const fn mix(key: u64) -> u64 {
    let key = (key ^ (key >> 30)).wrapping_mul(FIRST);
    let key = (key ^ (key >> 27)).wrapping_mul(SECOND);
    key ^ (key >> 31)
}

/// Gives back the key that [`mix`] spread.
#[inline]
pub(crate) const fn unmix(mixed: u64) -> u64 {
    let mixed = (mixed ^ (mixed >> 31) ^ (mixed >> 62)).wrapping_mul(inverse(SECOND));
    let mixed = (mixed ^ (mixed >> 27) ^ (mixed >> 54)).wrapping_mul(inverse(FIRST));
    mixed ^ (mixed >> 30) ^ (mixed >> 60)
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
    use super::{mix, unmix};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unmix_undoes_mix(key in any::<u64>()) {
            prop_assert_eq!(unmix(mix(key)), key);
            prop_assert_eq!(mix(unmix(key)), key);
        }
    }
}
