//! Which halves were seen in both directions.

use super::grid::{Across, Grid};
use super::halves::{BLOCK, Halves, Word};
use super::sink::{Outbox, PairSink};
use super::work::share;
use std::num::NonZeroUsize;

/// Puts the halves of each square into a set, looks those of the square across up and hands over whom `name`
/// names by slice and local; gives the number of pairs.
pub(super) fn join<W, K, S>(
    grid: Grid,
    halves: &[Halves<W>],
    threads: NonZeroUsize,
    sink: &S,
    name: impl Fn(usize, u32) -> K + Sync,
) -> u64
where
    W: Word,
    K: Ord,
    S: PairSink<K> + ?Sized,
{
    let squares = grid.all_across();
    let pairs = share(threads, squares.len(), |mine| {
        let mut set = HalfSet::new();
        let mut outbox = Outbox::new(sink);
        for Across { forward, backward, slices } in mine.filter_map(|at| squares.get(at).copied()) {
            set.reset(halves.iter().map(|halves| halves.count(forward)).sum());
            for block in halves.iter().flat_map(|halves| halves.blocks(forward)) {
                block.iter().for_each(|&half| set.insert(half));
            }
            for block in halves.iter().flat_map(|halves| halves.blocks(backward)) {
                // Without a branch: whether somebody is listed back, nobody can tell in advance.
                let (mut both, mut count) = ([W::EMPTY; BLOCK], 0);
                for &half in block {
                    both[count] = half;
                    count += usize::from(set.take(half));
                }
                outbox.put_all(&both[..count], |&half| {
                    let (low, high) = grid.locals(half);
                    (name(slices.0, low), name(slices.1, high))
                });
            }
        }
        outbox.finish()
    });
    pairs.iter().sum()
}

/// A small set of halves, open addressing, at most half full; reused from square to square.
struct HalfSet<W> {
    slots: Vec<W>,
    shift: u32,
}

impl<W: Word> HalfSet<W> {
    fn new() -> Self {
        Self { slots: Vec::new(), shift: 0 }
    }

    /// Empties the set and makes room for so many halves.
    fn reset(&mut self, halves_max: usize) {
        let slots = (2 * halves_max).next_power_of_two().max(16);
        self.slots.clear();
        self.slots.resize(slots, W::EMPTY);
        self.shift = 32 - slots.ilog2().clamp(1, 32);
    }

    #[inline(always)]
    fn insert(&mut self, half: W) {
        let place = self.find(half);
        self.slots[place] = half;
    }

    /// Takes a half out; false when it was not there or was taken before, so that repeats count once.
    #[inline(always)]
    fn take(&mut self, half: W) -> bool {
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
