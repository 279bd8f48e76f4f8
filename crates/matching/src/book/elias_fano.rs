//! One Elias-Fano run: low bits packed side by side, high bits in unary.
//!
//! Of `count` values in [0, span] each keeps its lowest `l = floor(log2((span + 1) / count))` bits as they are;
//! the rest, at most `2 * count`, is written as one bit at place `high + index` each. A run takes
//! `l + 2` to `l + 3` bits a value, rounded up to whole bytes twice.

use super::BookDamaged;
use super::bits::{BitWriter, bits_at, place_of_zero, word_at};

/// Says what a run holds: `count` keys in [first, first + span].
#[derive(Debug, Clone, Copy)]
pub(super) struct Universe {
    pub(super) count: usize,
    pub(super) first: u64,
    pub(super) span: u64,
}

impl Universe {
    #[inline]
    fn low_width(self) -> u32 {
        (self.span / (self.count as u64).max(1)).checked_ilog2().unwrap_or(0)
    }

    #[inline]
    fn high_max(self) -> u64 {
        self.span >> self.low_width()
    }

    #[inline]
    fn low_bytes(self) -> usize {
        (self.count * self.low_width() as usize).div_ceil(8)
    }

    #[inline]
    fn high_bytes(self) -> usize {
        // Without keys there is nothing to write; else one bit a key and one for the end of each high value.
        if self.count == 0 { 0 } else { (self.count as u64 + self.high_max()).div_ceil(8) as usize }
    }

    /// Length of the run.
    #[inline]
    pub(super) fn bytes(self) -> usize {
        self.low_bytes() + self.high_bytes()
    }
}

/// Appends the run of `keys`, which are strictly ascending and those that `universe` tells of.
pub(super) fn write(out: &mut Vec<u8>, universe: Universe, keys: &[u64]) {
    let width = universe.low_width();
    let mut lows = BitWriter::new(out);
    for &key in keys {
        lows.push((key - universe.first) & ((1 << width) - 1), width);
    }
    lows.finish();
    let highs = out.len();
    out.resize(highs + universe.high_bytes(), 0);
    for (index, &key) in keys.iter().enumerate() {
        let place = ((key - universe.first) >> width) as usize + index;
        out[highs + place / 8] |= 1 << (place % 8);
    }
}

/// Appends the keys of the run that starts at `run[0]` to `keys`.
pub(super) fn read(run: &[u8], universe: Universe, keys: &mut Vec<u64>) -> Result<(), BookDamaged> {
    let (width, low_bytes) = (universe.low_width(), universe.low_bytes());
    let (lows, highs) = run.split_at_checked(low_bytes).ok_or(BookDamaged::Length)?;
    let highs = highs.get(..universe.high_bytes()).ok_or(BookDamaged::Length)?;
    let mut index = 0;
    let mut above = 0;
    for start in (0..highs.len()).step_by(8) {
        let mut word = word_at(highs, start);
        while word != 0 {
            let high = start * 8 + word.trailing_zeros() as usize - index;
            word &= word - 1;
            let value = (high as u64) << width | bits_at(lows, index * width as usize, width);
            // Strictly ascending, within the span and no more than were announced, whatever the bytes say.
            if index >= universe.count || value < above || value > universe.span {
                return Err(BookDamaged::Content);
            }
            above = value.saturating_add(1);
            keys.push(universe.first + value);
            index += 1;
        }
    }
    if index == universe.count { Ok(()) } else { Err(BookDamaged::Content) }
}

/// Tells whether the run that starts at `run[0]` holds `key`; of damaged bytes the answer may be wrong.
pub(super) fn contains(run: &[u8], universe: Universe, key: u64) -> bool {
    let Some(value) = key.checked_sub(universe.first).filter(|&value| value <= universe.span) else {
        return false;
    };
    let (width, low_bytes) = (universe.low_width(), universe.low_bytes());
    let (Some(highs), wanted) = (run.get(low_bytes..), value & ((1 << width) - 1)) else {
        return false;
    };
    let high = (value >> width) as usize;
    let Some(mut place) = start_of(highs, universe.high_bytes(), high) else { return false };
    // Every one bit from here to the next zero is a key with this high part; their low parts ascend.
    loop {
        let ones = word_at(highs, place / 8) >> (place % 8);
        let index = place - high;
        if ones & 1 == 0 || index >= universe.count {
            return false;
        }
        let low = bits_at(run, index * width as usize, width);
        if low >= wanted {
            return low == wanted;
        }
        place += 1;
    }
}

/// Finds where the keys of one high part begin: behind the zero bit that ends the part before it.
fn start_of(highs: &[u8], high_bytes: usize, high: usize) -> Option<usize> {
    let Some(mut zeros_left) = high.checked_sub(1) else { return Some(0) };
    for at in (0..high_bytes).step_by(8) {
        let word = word_at(highs, at);
        let zeros = word.count_zeros() as usize;
        if zeros_left < zeros {
            return Some(at * 8 + place_of_zero(word, zeros_left as u32) as usize + 1);
        }
        zeros_left -= zeros;
    }
    None
}
