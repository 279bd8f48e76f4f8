//! Edges thrown into 256 partitions by one byte of their mixed keys, waiting in memory until written out.

use super::Edge;
use super::stream::Spill;
use crate::mix::mix;
use std::io;

/// Partitions that a stream, or a partition that outgrew the budget, is split into: one byte of the mixed keys.
pub(super) const FAN_OUT: usize = 256;

/// Bytes to split by: eight of the mixed smaller key, then eight of the mixed greater one.
pub(super) const LEVELS: u32 = 16;

/// Bytes of an edge at rest: two little-endian keys, the owner's first.
pub(super) const EDGE_BYTES: usize = 16;

/// One splitting of edges.
pub(super) struct Partitions {
    level: u32,
    /// Number of the first partition at the spill; the others follow.
    first: u64,
    waiting: Vec<Vec<Edge>>,
    waiting_count: usize,
    written: Vec<u64>,
}

/// A partition at the spill.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spilled {
    pub(super) number: u64,
    pub(super) edges: u64,
    /// The level of the splitting it came from.
    pub(super) level: u32,
}

impl Partitions {
    pub(super) fn new(level: u32, first: u64) -> Self {
        Self { level, first, waiting: vec![Vec::new(); FAN_OUT], waiting_count: 0, written: vec![0; FAN_OUT] }
    }

    /// Takes an edge; both directions of a pair come into the same partition.
    pub(super) fn put(&mut self, edge: Edge) {
        let key =
            if self.level < LEVELS / 2 { edge.owner.min(edge.contact) } else { edge.owner.max(edge.contact) };
        let byte = mix(key).to_be_bytes()[(self.level % (LEVELS / 2)) as usize];
        self.waiting[usize::from(byte)].push(edge);
        self.waiting_count += 1;
    }

    pub(super) fn waiting_count(&self) -> usize {
        self.waiting_count
    }

    /// Writes all waiting edges out.
    pub(super) fn write_out(&mut self, spill: &mut dyn Spill) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (at, edges) in self.waiting.iter_mut().enumerate().filter(|(_, edges)| !edges.is_empty()) {
            bytes.clear();
            for edge in edges.iter() {
                bytes.extend_from_slice(&edge.owner.to_le_bytes());
                bytes.extend_from_slice(&edge.contact.to_le_bytes());
            }
            spill.append(self.first + at as u64, &bytes)?;
            self.written[at] += edges.len() as u64;
            edges.clear();
        }
        self.waiting_count = 0;
        Ok(())
    }

    /// The waiting edges, if none was ever written out.
    pub(super) fn into_unwritten(self) -> Result<Vec<Vec<Edge>>, Self> {
        if self.written.iter().all(|&edges| edges == 0) { Ok(self.waiting) } else { Err(self) }
    }

    /// Writes the rest out and names what is at the spill.
    pub(super) fn into_spilled(mut self, spill: &mut dyn Spill) -> io::Result<Vec<Spilled>> {
        self.write_out(spill)?;
        let numbered = (self.first..).zip(self.written).filter(|&(_, edges)| edges > 0);
        Ok(numbered.map(|(number, edges)| Spilled { number, edges, level: self.level }).collect())
    }
}

/// Reads an edge back.
pub(super) fn edge_from(bytes: &[u8; EDGE_BYTES]) -> Edge {
    let [owner, contact] =
        [0, 8].map(|at| bytes[at..].first_chunk().map_or(0, |key| u64::from_le_bytes(*key)));
    Edge { owner, contact }
}
