//! Ids in slices, edges in squares.

use super::halves::Word;

/// Edges that a square should get, about: of 2^14 some 2^13 are between owners, half of them forward, whose set fits
/// a core's first cache (32 KB).
const EDGES_A_SQUARE: usize = 1 << 14;

/// Ids a slice may hold: what is looked up in it, 9 bytes each, shall fit a core's own cache (128 KB).
const IDS_A_SLICE: usize = 14_000;

/// With 256 slices the first blocks of all squares take 128 MB a thread.
const SLICES_MAX: usize = 256;

/// Cuts ids into slices, and edges by the slices of owner and contact into squares.
///
/// The edges of a square and those of the one across the diagonal are each other's possible reverses. Work goes
/// slice by slice, so that the squares in use at a time are one row: few enough for the processor's caches of
/// memory and of page addresses, which one wide partitioning would overflow.
///
/// An address names an id by its slice, above its local number in the slice. Locals begin at 1 and end below
/// `2^width - 1`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) slices: usize,
    width: u32,
}

/// Two squares across the diagonal: edges forward (the owner's address is smaller) and backward.
#[derive(Debug, Clone, Copy)]
pub(super) struct Across {
    pub(super) forward: usize,
    pub(super) backward: usize,
    /// The slice of the smaller address, and of the greater.
    pub(super) slices: (usize, usize),
}

impl Grid {
    /// Number of slices, a power of two, for so many ids and edges.
    pub(super) fn slices_for(ids: usize, edges: usize) -> usize {
        let by_edges = (edges / EDGES_A_SQUARE).isqrt().max(1);
        let by_ids = ids.div_ceil(IDS_A_SLICE).max(1);
        // By edges the nearer power of two is meant, hence three quarters.
        (by_edges * 3 / 4).max(by_ids * 3 / 4).next_power_of_two().min(SLICES_MAX)
    }

    /// A grid of so many slices, the greatest of which holds so many ids; `None` where addresses or halves
    /// would not fit.
    pub(super) fn new<W: Word>(slices: usize, greatest: usize) -> Option<Self> {
        let width = (greatest + 1).ilog2() + 1;
        let fits = 2 * width <= W::BITS && width + slices.ilog2() <= u32::BITS;
        fits.then_some(Self { slices, width })
    }

    /// Number of squares; each on the diagonal counts twice, for it holds both directions.
    pub(super) fn squares(self) -> usize {
        self.slices * self.slices + self.slices
    }

    #[inline(always)]
    pub(super) fn address(self, slice: usize, local: u32) -> u32 {
        // In 64 bits, since with one slice the width may be all 32.
        ((slice as u64) << self.width) as u32 | local
    }

    #[inline(always)]
    fn slice(self, address: u32) -> usize {
        (u64::from(address) >> self.width) as usize
    }

    /// The square of an edge.
    #[inline(always)]
    pub(super) fn square(self, owner: u32, contact: u32) -> usize {
        let (from, to) = (self.slice(owner), self.slice(contact));
        let second = usize::from((from == to) & (owner > contact));
        to * self.slices + from + second * (self.slices - to) * self.slices
    }

    /// The same for both directions of a pair.
    #[inline(always)]
    pub(super) fn half<W: Word>(self, owner: u32, contact: u32) -> W {
        let mask = (1u64 << self.width) - 1;
        let (low, high) = (u64::from(owner.min(contact)), u64::from(owner.max(contact)));
        W::from_u64((low & mask) << self.width | (high & mask))
    }

    /// The locals of the smaller and of the greater address of a half.
    #[inline]
    pub(super) fn locals<W: Word>(self, half: W) -> (u32, u32) {
        let half = half.to_u64();
        ((half >> self.width) as u32, (half & ((1u64 << self.width) - 1)) as u32)
    }

    /// All squares, two by two.
    pub(super) fn all_across(self) -> Vec<Across> {
        let slices = self.slices;
        let across = |a: usize, b: usize| {
            let backward = if a == b { slices * slices + a } else { a * slices + b };
            Across { forward: b * slices + a, backward, slices: (a, b) }
        };
        (0..slices).flat_map(|b| (0..=b).map(move |a| across(a, b))).collect()
    }
}
