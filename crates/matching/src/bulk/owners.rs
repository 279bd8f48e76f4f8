//! All owners, ranked.

use crate::mix::Spread;

/// All owners in the order of their spread keys; an owner's id is its rank. 8 bytes an owner.
pub(super) struct Owners {
    spread: Spread,
    sorted: Vec<u64>,
}

impl Owners {
    /// Ranks owners, given in any order, repeats allowed; `all` holds every bit of any key that will be asked for.
    /// O(n log n).
    pub(super) fn rank(mut keys: Vec<u64>, all: u64) -> Self {
        let spread = Spread::for_bits_of(all);
        keys.iter_mut().for_each(|key| *key = spread.of(*key));
        keys.sort_unstable();
        keys.dedup();
        Self { spread, sorted: keys }
    }

    pub(super) fn count(&self) -> usize {
        self.sorted.len()
    }

    pub(super) fn spread(&self) -> Spread {
        self.spread
    }

    /// The spread keys by id.
    pub(super) fn sorted(&self) -> &[u64] {
        &self.sorted
    }

    pub(super) fn key(&self, id: u32) -> u64 {
        self.spread.key_of(self.sorted[id as usize])
    }
}

/// Scales an evenly spread value to [0, n), keeping its order.
#[inline(always)]
pub(super) fn scale(spread: u64, n: usize) -> usize {
    ((u128::from(spread) * n as u128) >> 64) as usize
}

/// Collects owners as they come, holding each not much more than twice.
#[derive(Default)]
pub(super) struct OwnerCollector {
    keys: Vec<u64>,
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
        if self.keys.len() >= (2 * self.unique).max(4096) {
            self.keys.sort_unstable();
            self.keys.dedup();
            self.unique = self.keys.len();
        }
        self.keys.push(owner);
    }

    pub(super) fn into_keys(self) -> Vec<u64> {
        self.keys
    }
}
