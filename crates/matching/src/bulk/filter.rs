//! Who is surely no owner, told by one bit.

use super::owners::Owners;

/// Bits an owner, at least: of ten who are no owners then at most one and a bit passes.
const BITS_AN_OWNER: usize = 8;

/// A bit for each of the beginnings that spread keys have, set where an owner's begins so.
///
/// More than half of all contacts are nobody's; they are sorted out here, before anything is written down for
/// them. 1 to 2 bytes an owner, so that of a million owners it is in the processor's caches still.
pub(super) struct Filter {
    words: Vec<u64>,
    /// What is shifted out of a spread key to leave its beginning.
    shift: u32,
}

impl Filter {
    /// Makes the filter. O(owners).
    pub(super) fn new(owners: &Owners) -> Self {
        let bits = (owners.count() * BITS_AN_OWNER).next_power_of_two().max(u64::BITS as usize);
        let mut filter = Self { words: vec![0; bits / u64::BITS as usize], shift: u64::BITS - bits.ilog2() };
        for &spread in owners.sorted() {
            let bit = spread >> filter.shift;
            filter.words[(bit / 64) as usize] |= 1 << (bit % 64);
        }
        filter
    }

    /// 0 for a spread key that is no owner's; else mostly 1.
    #[inline(always)]
    pub(super) fn passes(&self, spread: u64) -> usize {
        let bit = spread >> self.shift;
        let word = self.words.get((bit / 64) as usize).copied().unwrap_or(0);
        (word >> (bit % 64) & 1) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_owner_passes_and_of_others_few(keys in proptest::collection::vec(any::<u64>(), 0..2000)) {
            let owners = Owners::rank(keys, u64::MAX);
            let filter = Filter::new(&owners);
            prop_assert!(owners.sorted().iter().all(|&spread| filter.passes(spread) == 1));
            let others = (0..4000u64).map(crate::mix::mix).filter(|other| !owners.sorted().contains(other));
            prop_assert!(others.map(|other| filter.passes(other)).sum::<usize>() < 800);
        }
    }
}
