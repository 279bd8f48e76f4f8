//! From key to owner, exact, in one look at one line of memory.

use super::owners::{Owners, scale};
use crate::mix::Spread;

/// Keys looked up together: enough that the processor waits for the memory of many at once.
pub(super) const BATCH: usize = 64;

/// Owners a bucket holds on average, of 15 at most: one owner in 500 is in a bucket that outgrows that (Poisson tail).
const OWNERS_A_BUCKET: usize = 7;

/// Bits of a bucket's first word that count its owners.
const COUNT_BITS: u32 = 5;

/// A count that no bucket has: this one does not tell, and its owners are looked for among the sorted ones.
const OUTGROWN: u32 = (1 << COUNT_BITS) - 1;

/// One line of memory. The first word has how many owners there are and, above that, how many of the same slice are
/// before them; then comes a tag for each, and then, to the end, another that is none of theirs.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Bucket([u32; 16]);

/// Exact table from spread keys to owners, in slices of which one fits a core's own cache.
///
/// A spread key is scaled to a bucket; the next 32 bits of the product are its tag. With at most 32 bits more than
/// buckets can be told apart by, a tag is the whole rest of a key and proves it; with longer keys an owner that is
/// found is compared once more. A lookup compares all tags at once, without a branch that depends on the data: hit or
/// miss cost the same, and several lookups run at once. 9.2 bytes an owner.
pub(super) struct Table<'a> {
    owners: &'a Owners,
    buckets: Vec<Bucket>,
    slices: usize,
    /// The first rank of each slice, and the number of owners.
    starts: Vec<u32>,
    /// Whether a tag proves a key.
    exact: bool,
}

impl<'a> Table<'a> {
    /// Makes the table of so many slices. O(owners).
    pub(super) fn new(owners: &'a Owners, slices: usize) -> Self {
        let sorted = owners.sorted();
        let start = |slice| sorted.partition_point(|&one| scale(one, slices) < slice) as u32;
        let starts: Vec<u32> = (0..=slices).map(start).collect();
        let a_slice = sorted.len().div_ceil(OWNERS_A_BUCKET * slices).max(1);
        let count = slices * a_slice;
        // Different keys of one bucket are then at least one tag apart.
        let exact = owners.spread().bits() <= u32::BITS + count.ilog2();
        let mut buckets = vec![Bucket([0; 16]); count];
        let mut rank = 0;
        for same in sorted.chunk_by(|&a, &b| scale(a, count) == scale(b, count)) {
            let bucket = scale(same[0], count);
            let before = rank - starts[bucket / a_slice];
            buckets[bucket] = Bucket::of(same, before, count);
            rank += same.len() as u32;
        }
        Self { owners, buckets, slices, starts, exact }
    }

    pub(super) fn spread(&self) -> Spread {
        self.owners.spread()
    }

    pub(super) fn exact(&self) -> bool {
        self.exact
    }

    /// The slice in which a spread key is looked up.
    #[inline(always)]
    pub(super) fn slice(&self, spread: u64) -> usize {
        scale(spread, self.slices)
    }

    /// Reads a slice in order, which is fast however far away it is; lookups here and there would each wait for it.
    pub(super) fn bring_near(&self, slice: usize) {
        let a_slice = self.buckets.len() / self.slices;
        let buckets = &self.buckets[slice * a_slice..(slice + 1) * a_slice];
        std::hint::black_box(buckets.iter().fold(0, |all, Bucket(words)| all | words[0]));
    }

    /// The greatest number of owners in a slice.
    pub(super) fn greatest(owners: &Owners, slices: usize) -> usize {
        let slice = |&a: &u64, &b: &u64| scale(a, slices) == scale(b, slices);
        owners.sorted().chunk_by(slice).map(<[u64]>::len).max().unwrap_or(0)
    }

    /// The owner at a place of a slice.
    pub(super) fn key(&self, slice: usize, local: u32) -> u64 {
        self.owners.key(self.starts[slice] + local - 1)
    }

    /// Finds a batch of spread keys of one slice: their places in it, from 1 on, and 0 for those that are no owner's.
    ///
    /// `EXACT` says that [`Table::exact`] holds.
    #[inline(always)]
    pub(super) fn find_batch<const EXACT: bool>(
        &self,
        slice: usize,
        keys: impl Fn(usize) -> u64,
        locals: &mut [u32; BATCH],
    ) {
        let mut outgrown = 0u64;
        for (at, place) in locals.iter_mut().enumerate() {
            let product = u128::from(keys(at)) * self.buckets.len() as u128;
            let Bucket(words) = self.buckets.get((product >> 64) as usize).unwrap_or(&Bucket([0; 16]));
            let (local, count) = find_tag(words, (product >> 32) as u32);
            outgrown |= u64::from(count == OUTGROWN) << at;
            *place = local;
        }
        if !EXACT {
            let first = (self.starts[slice] as usize).wrapping_sub(1);
            for (at, place) in locals.iter_mut().enumerate() {
                let found =
                    self.owners.sorted().get(first.wrapping_add(*place as usize)).copied().unwrap_or(0);
                *place &= zero_mask(found ^ keys(at));
            }
        }
        while outgrown != 0 {
            let at = outgrown.trailing_zeros() as usize;
            outgrown &= outgrown - 1;
            locals[at] = self.search(slice, keys(at));
        }
    }

    /// Finds one spread key: its slice and its place there.
    pub(super) fn find(&self, spread: u64) -> (usize, u32) {
        let slice = self.slice(spread);
        let Bucket(words) = self.buckets[scale(spread, self.buckets.len())];
        let tag = ((u128::from(spread) * self.buckets.len() as u128) >> 32) as u32;
        let (local, count) = find_tag(&words, tag);
        if self.exact && count != OUTGROWN { (slice, local) } else { (slice, self.search(slice, spread)) }
    }

    #[cold]
    fn search(&self, slice: usize, spread: u64) -> u32 {
        let owners = &self.owners.sorted()[self.starts[slice] as usize..self.starts[slice + 1] as usize];
        owners.binary_search(&spread).map_or(0, |place| place as u32 + 1)
    }
}

impl Bucket {
    /// Of some sorted spread keys, with so many of the same slice before them, in a table of so many buckets.
    fn of(keys: &[u64], before: u32, buckets: usize) -> Self {
        let mut words = [OUTGROWN; 16];
        if keys.len() >= words.len() || before >= 1 << (u32::BITS - COUNT_BITS) {
            return Self(words);
        }
        let tags = keys.iter().map(|&key| ((u128::from(key) * buckets as u128) >> 32) as u32);
        words[1..].iter_mut().zip(tags).for_each(|(word, tag)| *word = tag);
        let tags = &words[1..=keys.len()];
        if tags.windows(2).any(|two| two[0] == two[1]) {
            return Self([OUTGROWN; 16]);
        }
        // At most 15 of these 16 are taken.
        let other = (0..16).find(|other| !tags.contains(other)).unwrap_or(0);
        words[keys.len() + 1..].fill(other);
        words[0] = before << COUNT_BITS | keys.len() as u32;
        Self(words)
    }
}

/// The place of the owner with this tag, 0 for none, and the bucket's count. One tag at most is an owner's; what
/// stands behind them is found at places that are too great, together or alone.
#[inline(always)]
fn find_tag(words: &[u32; 16], tag: u32) -> (u32, u32) {
    // All 16 words, that it is done four at a time; the first one's place is 0 and changes nothing.
    let found = (0..16).fold(0, |found, at| found | if words[at] == tag { at as u32 } else { 0 });
    let count = words[0] & OUTGROWN;
    // The borrow says that it is an owner's place. A comparison would be compiled to a branch, wrong half of the time.
    let there = (u64::from(found.wrapping_sub(1)).wrapping_sub(u64::from(count)) >> 32) as u32;
    (((words[0] >> COUNT_BITS) + found) & there, count)
}

/// All ones where a value is zero, else zero, without a comparison.
#[inline(always)]
fn zero_mask(value: u64) -> u32 {
    !((value | value.wrapping_neg()) as i64 >> 63) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn owners_are_found_at_their_places_and_nobody_else_is(
            keys in proptest::collection::vec(
                prop_oneof![any::<u64>(), 0u64..20, (0u64..20).prop_map(|low| u64::MAX - low)], 0..300),
            others in proptest::collection::vec(any::<u64>(), 0..50),
            bits in 1u32..=64,
            power in 0u32..4,
        ) {
            let mask = u64::MAX >> (64 - bits);
            let slices = 1 << power;
            let keys: Vec<u64> = keys.iter().map(|key| key & mask).collect();
            let owners = Owners::rank(keys.clone(), mask);
            let table = Table::new(&owners, slices);
            let model: BTreeSet<u64> = keys.iter().copied().collect();
            prop_assert_eq!(owners.count(), model.len());
            let near = keys.iter().flat_map(|&one| [one.wrapping_sub(1), one, one.wrapping_add(1)]);
            for key in near.chain(others).chain(0..25).map(|key| key & mask) {
                let spread = owners.spread().of(key);
                let (slice, local) = table.find(spread);
                prop_assert_eq!(local > 0, model.contains(&key));
                prop_assert!(local == 0 || table.key(slice, local) == key);
                let mut locals = [7; BATCH];
                table.find_batch::<false>(slice, |_| spread, &mut locals);
                prop_assert_eq!(locals, [local; BATCH]);
                if table.exact() {
                    table.find_batch::<true>(slice, |_| spread, &mut locals);
                    prop_assert_eq!(locals, [local; BATCH]);
                }
            }
        }

        #[test]
        fn buckets_find_what_is_in_them_and_nothing_else(
            tags in proptest::collection::btree_set(prop_oneof![0u32..20, any::<u32>()], 0..15), before in 0u32..1000,
        ) {
            // With 2^32 buckets a tag is the low half of a key, and all of these are in the first bucket.
            let keys: Vec<u64> = tags.iter().copied().map(u64::from).collect();
            let bucket = Bucket::of(&keys, before, 1 << 32);
            for tag in (0..40).chain(tags.iter().copied()) {
                let place = tags.iter().position(|&one| one == tag);
                let expected = place.map_or(0, |place| before + place as u32 + 1);
                prop_assert_eq!(find_tag(&bucket.0, tag), (expected, keys.len() as u32));
            }
        }
    }
}
