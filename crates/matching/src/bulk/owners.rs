//! From key to rank among all owners, exact, in one look.

use crate::mix::{mix, unmix};

/// Entries compared at once.
const WINDOW: usize = 6;

/// Keys looked up together: the bits of a word, and little enough to stay in the core's first cache.
pub(super) const BATCH: usize = 64;

/// Owners a bucket holds on average. With two, one bucket in 220 outgrows the window (Poisson tail), and the
/// starts of the buckets cost two bytes an owner.
const OWNERS_A_BUCKET: usize = 2;

/// All owners, mixed and sorted; an owner's id is its rank.
///
/// A lookup scales the mixed key to a bucket, reads where that bucket starts and counts which of the six entries
/// from there are smaller, without a branch that depends on the data: hit or miss cost the same, and several
/// lookups run at once. 10 bytes an owner.
pub(super) struct Owners {
    /// Mixed keys, ascending, and then the greatest value so often that every window is whole.
    sorted: Vec<u64>,
    starts: Vec<u32>,
    count: usize,
}

impl Owners {
    /// Makes the table from mixed keys in any order, repeats allowed. O(n log n).
    pub(super) fn from_mixed(mut mixed: Vec<u64>) -> Self {
        mixed.sort_unstable();
        mixed.dedup();
        let count = mixed.len();
        let buckets = (count / OWNERS_A_BUCKET).max(1);
        let mut starts = Vec::with_capacity(buckets + 1);
        for (rank, &one) in mixed.iter().enumerate() {
            let bucket = scale(one, buckets);
            while starts.len() <= bucket {
                starts.push(rank as u32);
            }
        }
        starts.resize(buckets + 1, count as u32);
        mixed.reserve_exact(WINDOW + 1);
        mixed.extend([u64::MAX; WINDOW + 1]);
        Self { sorted: mixed, starts, count }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The first rank of each of so many equal slices of the mixed keys, and the number of owners.
    pub(super) fn slice_starts(&self, slices: usize) -> Vec<u32> {
        let owners = &self.sorted[..self.count];
        (0..=slices).map(|slice| owners.partition_point(|&one| scale(one, slices) < slice) as u32).collect()
    }

    pub(super) fn key(&self, id: u32) -> u64 {
        unmix(self.sorted[id as usize])
    }

    /// No id; greater than all.
    pub(super) const NONE: u32 = u32::MAX;

    /// Finds the ids of a batch of mixed keys; [`Owners::NONE`] for those that are no owner's.
    ///
    /// In steps that do little each, so that the processor waits for the memory of many keys at once: at a
    /// million owners this takes a third of the time of looking up one key after the other.
    #[inline]
    pub(super) fn find_batch(&self, keys: impl Fn(usize) -> u64, ids: &mut [u32; BATCH]) {
        let (mut mixed, mut starts, mut smaller) = ([0; BATCH], [0; BATCH], [0; BATCH]);
        let mut outgrown = 0u64;
        for at in 0..BATCH {
            mixed[at] = keys(at);
            let (start, end) = self.bucket(mixed[at]);
            starts[at] = start;
            outgrown |= u64::from(end - start > WINDOW as u32) << at;
        }
        // The first and the last entry of a window lie on the one or two cache lines that it takes.
        for at in 0..BATCH {
            let window = self.window(starts[at]);
            smaller[at] = u32::from(window[0] < mixed[at]) + u32::from(window[WINDOW - 1] < mixed[at]);
        }
        for at in 0..BATCH {
            let window = self.window(starts[at]);
            let between = window[1..WINDOW - 1].iter().map(|&one| u32::from(one < mixed[at]));
            let smaller = smaller[at] + between.sum::<u32>();
            let id = starts[at] + smaller;
            let differing = window[smaller as usize] ^ mixed[at];
            // All ones where they differ. A comparison would be compiled to a branch, wrong half of the time.
            let unlike = ((differing | differing.wrapping_neg()) as i64 >> 63) as u32;
            let beyond = u32::from(id < self.count as u32).wrapping_sub(1);
            ids[at] = id | unlike | beyond;
        }
        while outgrown != 0 {
            let at = outgrown.trailing_zeros() as usize;
            outgrown &= outgrown - 1;
            ids[at] = self.find(mixed[at]);
        }
    }

    /// Finds the id of one mixed key.
    pub(super) fn find(&self, mixed: u64) -> u32 {
        let (start, end) = self.bucket(mixed);
        let bucket = &self.sorted[start as usize..end as usize];
        bucket.binary_search(&mixed).map_or(Self::NONE, |place| start + place as u32)
    }

    /// Where the bucket of a mixed key begins and ends.
    #[inline(always)]
    fn bucket(&self, mixed: u64) -> (u32, u32) {
        let bucket = scale(mixed, self.starts.len() - 1);
        let two: &[u32; 2] = self.starts[bucket..].first_chunk().unwrap_or(&[0; 2]);
        (two[0], two[1])
    }

    /// The entries from a place on, and the one behind them.
    #[inline(always)]
    fn window(&self, start: u32) -> &[u64; WINDOW + 1] {
        self.sorted[start as usize..].first_chunk().unwrap_or(&[u64::MAX; WINDOW + 1])
    }
}

/// Scales an evenly spread value to [0, n), keeping its order.
#[inline(always)]
pub(super) fn scale(mixed: u64, n: usize) -> usize {
    ((u128::from(mixed) * n as u128) >> 64) as usize
}

/// Collects owners as they come, holding each not much more than twice.
#[derive(Default)]
pub(super) struct OwnerCollector {
    mixed: Vec<u64>,
    unique: usize,
    last: Option<u64>,
}

impl OwnerCollector {
    /// Notes the owner of an edge; those of one owner mostly come in a row.
    #[inline(always)]
    pub(super) fn note(&mut self, owner: u64) {
        if self.last != Some(owner) {
            self.last = Some(owner);
            self.keep(owner);
        }
    }

    fn keep(&mut self, owner: u64) {
        // Edges in no order would otherwise leave one entry each. 4,096 is where sorting starts to cost.
        if self.mixed.len() >= (2 * self.unique).max(4096) {
            self.mixed.sort_unstable();
            self.mixed.dedup();
            self.unique = self.mixed.len();
        }
        self.mixed.push(mix(owner));
    }

    pub(super) fn into_mixed(self) -> Vec<u64> {
        self.mixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn owners_are_found_by_rank_and_nobody_else_is(
            mixed in proptest::collection::vec(
                prop_oneof![any::<u64>(), 0u64..20, (0u64..20).prop_map(|low| u64::MAX - low)], 0..200),
            others in proptest::collection::vec(any::<u64>(), 0..50),
        ) {
            let owners = Owners::from_mixed(mixed.clone());
            let model: BTreeSet<u64> = mixed.iter().copied().collect();
            prop_assert_eq!(owners.count(), model.len());
            for (rank, &one) in model.iter().enumerate() {
                prop_assert_eq!(mix(owners.key(rank as u32)), one);
            }
            let rank_of = |one: &u64| model.iter().position(|other| other == one).map_or(Owners::NONE, |rank| rank as u32);
            let near = mixed.iter().flat_map(|&one| [one.wrapping_sub(1), one, one.wrapping_add(1)]);
            let asked: Vec<u64> = near.chain(others).chain(0..25).collect();
            for batch in asked.chunks(BATCH) {
                let mut ids = [0; BATCH];
                owners.find_batch(|at| batch[at % batch.len()], &mut ids);
                for (one, &id) in batch.iter().zip(&ids) {
                    prop_assert_eq!(id, rank_of(one));
                    prop_assert_eq!(owners.find(*one), id);
                }
            }
        }
    }
}
