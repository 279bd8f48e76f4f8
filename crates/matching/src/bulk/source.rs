//! Where edges come from when they can be read twice.

use super::Edge;

/// Edges in memory, or made from something in memory, in parts that threads read side by side.
///
/// Each part is read twice, so it must give the same edges both times. Edges of one owner should mostly stand
/// in a row; any order is right, and at most about twice as slow.
pub trait EdgeSource: Sync {
    /// Number of parts; best a few dozen or more a thread, of some 10,000 to 1,000,000 edges.
    fn parts(&self) -> usize;

    /// Gives all edges of one part, in chunks of any size.
    fn read_part(&self, part: usize, take: &mut dyn FnMut(&[Edge]));
}

/// Edges of a part of a slice: 1 MB, enough to forget what starting a part costs.
const PART_EDGES: usize = 1 << 16;

impl EdgeSource for [Edge] {
    fn parts(&self) -> usize {
        self.len().div_ceil(PART_EDGES)
    }

    fn read_part(&self, part: usize, take: &mut dyn FnMut(&[Edge])) {
        if let Some(edges) = self.chunks(PART_EDGES).nth(part) {
            take(edges);
        }
    }
}

/// Each vector is one part.
impl EdgeSource for [Vec<Edge>] {
    fn parts(&self) -> usize {
        self.len()
    }

    fn read_part(&self, part: usize, take: &mut dyn FnMut(&[Edge])) {
        if let Some(edges) = self.get(part) {
            take(edges);
        }
    }
}
