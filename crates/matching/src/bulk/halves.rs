//! Edges between owners as short halves, thrown into the squares of a grid.

/// Words in a block; the first links to the block before. 2 KB: small against a square, large against a cache
/// line.
pub(super) const BLOCK: usize = 512;

/// The integer that holds a half: 32 bits while they suffice, else 64.
pub(super) trait Word: Copy + Eq + Send + Sync {
    const BITS: u32;
    /// No half: locals begin at 1.
    const EMPTY: Self;
    /// No half: locals end below `2^width - 1`.
    const TAKEN: Self;
    /// Keeps the lowest bits.
    fn from_u64(value: u64) -> Self;
    fn to_u64(self) -> u64;
    /// Spreads the half over 32 bits, the topmost being the best spread.
    fn hash(self) -> u32;
}

/// Multiplier of Fibonacci hashing (Knuth, The art of computer programming 3, 6.4): 2^32 over the golden ratio.
const GOLDEN: u32 = 0x9E37_79B9;

impl Word for u32 {
    const BITS: u32 = u32::BITS;
    const EMPTY: Self = 0;
    const TAKEN: Self = u32::MAX;

    #[inline(always)]
    fn from_u64(value: u64) -> Self {
        value as u32
    }

    #[inline(always)]
    fn to_u64(self) -> u64 {
        u64::from(self)
    }

    #[inline(always)]
    fn hash(self) -> u32 {
        self.wrapping_mul(GOLDEN)
    }
}

impl Word for u64 {
    const BITS: u32 = u64::BITS;
    const EMPTY: Self = 0;
    const TAKEN: Self = u64::MAX;

    #[inline(always)]
    fn from_u64(value: u64) -> Self {
        value
    }

    #[inline(always)]
    fn to_u64(self) -> u64 {
        self
    }

    #[inline(always)]
    fn hash(self) -> u32 {
        (crate::mix::mix(self) >> 32) as u32
    }
}

/// Halves by square, in blocks chained from the last to the first.
pub(super) struct Halves<W> {
    arena: Vec<W>,
    /// Where the next half of each place goes; never the first word of a block.
    ends: Vec<usize>,
}

impl<W: Word> Halves<W> {
    /// Makes room for places and, without touching it yet, for halves.
    pub(super) fn new(places: usize, halves_max: usize) -> Self {
        let blocks_max = places + halves_max.div_ceil(BLOCK - 1);
        let mut halves =
            Self { arena: Vec::with_capacity(blocks_max * BLOCK), ends: Vec::with_capacity(places) };
        for place in 0..places {
            // The first block of a place has its number; as no block comes before itself, its link ends the chain.
            halves.ends.push(place * BLOCK + 1);
            halves.add_block(place);
        }
        halves
    }

    /// Puts a half down.
    #[inline(always)]
    pub(super) fn push(&mut self, place: usize, half: W) {
        let end = self.ends[place];
        self.arena[end] = half;
        let end = end + 1;
        self.ends[place] = end;
        if end.is_multiple_of(BLOCK) {
            self.ends[place] = self.arena.len() + 1;
            self.add_block(end / BLOCK - 1);
        }
    }

    #[cold]
    #[inline(never)]
    fn add_block(&mut self, before: usize) {
        let start = self.arena.len();
        self.arena.resize(start + BLOCK, W::EMPTY);
        self.arena[start] = W::from_u64(before as u64);
    }

    /// The halves of one place, a block at a time.
    pub(super) fn blocks(&self, place: usize) -> impl Iterator<Item = &[W]> {
        let end = self.ends[place];
        let mut next = Some((end / BLOCK, end % BLOCK));
        std::iter::from_fn(move || {
            let (block, filled) = next?;
            let (&before, halves) = self.arena[block * BLOCK..block * BLOCK + filled].split_first()?;
            let before = before.to_u64() as usize;
            next = (before != block).then_some((before, BLOCK));
            Some(halves)
        })
    }

    pub(super) fn count(&self, place: usize) -> usize {
        self.blocks(place).map(<[W]>::len).sum()
    }
}
