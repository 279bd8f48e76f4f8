//! Which halves were seen in both directions.

use super::halves::Word;

/// A small set of halves, open addressing, at most half full; reused from partition to partition.
pub(super) struct HalfSet<W> {
    slots: Vec<W>,
    shift: u32,
}

impl<W: Word> HalfSet<W> {
    pub(super) fn new() -> Self {
        Self { slots: Vec::new(), shift: 0 }
    }

    /// Empties the set and makes room for so many halves.
    pub(super) fn reset(&mut self, halves_max: usize) {
        let slots = (2 * halves_max).next_power_of_two().max(16);
        self.slots.clear();
        self.slots.resize(slots, W::EMPTY);
        self.shift = 32 - slots.ilog2().clamp(1, 32);
    }

    #[inline(always)]
    pub(super) fn insert(&mut self, half: W) {
        let place = self.find(half);
        self.slots[place] = half;
    }

    /// Takes a half out; false when it was not there or was taken before, so that repeats count once.
    #[inline(always)]
    pub(super) fn take(&mut self, half: W) -> bool {
        let place = self.find(half);
        let there = self.slots[place] != W::EMPTY;
        // An empty slot must stay empty, a found one must stop being found without breaking the chain.
        self.slots[place] = if there { W::TAKEN } else { W::EMPTY };
        there
    }

    /// The slot of a half, or the empty one where the search for it ends. There always is an empty one.
    #[inline(always)]
    fn find(&self, half: W) -> usize {
        let mask = self.slots.len() - 1;
        let mut place = (half.hash() >> self.shift) as usize & mask;
        while self.slots[place] != half && self.slots[place] != W::EMPTY {
            place = (place + 1) & mask;
        }
        place
    }
}
