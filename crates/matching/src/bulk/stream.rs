//! Matching edges that pass by once and need not fit in memory.

use super::partitions::{EDGE_BYTES, FAN_OUT, LEVELS, Partitions, Spilled, edge_from};
use super::sink::PairSink;
use super::{Edge, Summary, match_edges};
use crate::mix::mix;
use std::io::{self, Read};
use std::num::NonZeroUsize;

/// Files, or anything like them, for edges that do not fit the memory budget.
///
/// Partitions are numbered by the matcher, from 0 on, each number used for one partition only. Errors should
/// name the file; they end the match and come out of it unchanged.
pub trait Spill: Send {
    /// Appends bytes to a partition, which begins with the first ones.
    ///
    /// # Errors
    /// Whatever keeps the bytes from being stored, such as a full disk.
    fn append(&mut self, partition: u64, bytes: &[u8]) -> io::Result<()>;

    /// Opens a partition to be read from its beginning; nothing more is appended to it.
    ///
    /// # Errors
    /// Whatever keeps it from being read.
    fn open(&mut self, partition: u64) -> io::Result<Box<dyn Read>>;

    /// Says that a partition is no longer needed.
    ///
    /// # Errors
    /// Whatever keeps it from being removed.
    fn discard(&mut self, partition: u64) -> io::Result<()>;
}

/// Share of the budget for edges that wait in memory: a buffer may have twice the room it needs, and matching
/// them all may need as much again.
const WAITING_SHARE: usize = 3;

/// Share of the budget for the edges of one partition: matching edges in no order may need 24 bytes each beside
/// their own 16.
const MATCHED_SHARE: usize = 3;

/// Recently seen owners that are not noted again; a power of two, 1 MB.
const SEEN: usize = 1 << 16;

/// Edges read back at once: 1 MB.
const READ_EDGES: usize = 1 << 16;

/// A match over edges that pass by once.
///
/// [`EdgeStream::push`] throws edges into 256 partitions by the mixed smaller key, so that both directions of a
/// pair meet; partitions wait in memory and, when together they outgrow the budget, are appended to the
/// caller's [`Spill`], 16 bytes an edge. [`EdgeStream::finish`] matches one partition after the other on all
/// threads, splitting again those that outgrow the budget. Where all fits in memory, nothing is spilled.
///
/// Every owner of an edge counts as registered; repeats count once; edges to oneself never match. The pairs, as
/// a set, and the statistics are the same at any budget and any number of threads. O(edges); in memory about the
/// budget, but at least some 4 MB; at the spill 16 bytes an edge and an owner, for edges in no order up to twice
/// that, and as much again for partitions that are split again.
pub struct EdgeStream<'a> {
    spill: &'a mut dyn Spill,
    waiting_max: usize,
    matched_max: usize,
    top: Partitions,
    /// Number of the first partition that was not used yet.
    next: u64,
    edges: u64,
    seen: Vec<Option<u64>>,
}

impl<'a> EdgeStream<'a> {
    /// Begins a match that uses about so many bytes of memory.
    pub fn new(budget_bytes: usize, spill: &'a mut dyn Spill) -> Self {
        let edges = budget_bytes / EDGE_BYTES;
        Self {
            spill,
            waiting_max: (edges / WAITING_SHARE).max(1),
            // Two edges cannot be split any more when they are one another's reverse.
            matched_max: (edges / MATCHED_SHARE).max(2),
            top: Partitions::new(0, 0),
            next: FAN_OUT as u64,
            edges: 0,
            seen: vec![None; SEEN],
        }
    }

    /// Takes some edges.
    ///
    /// # Errors
    /// Those of the spill; after one, the match cannot go on.
    pub fn push(&mut self, edges: &[Edge]) -> io::Result<()> {
        self.edges += edges.len() as u64;
        for &edge in edges {
            self.note_owner(edge.owner);
            if edge.contact != edge.owner {
                self.top.put(edge);
            }
            if self.top.waiting_count() >= self.waiting_max {
                self.top.write_out(self.spill)?;
            }
        }
        Ok(())
    }

    /// Matches what was pushed, on so many threads.
    ///
    /// # Errors
    /// Those of the spill, and [`io::ErrorKind::UnexpectedEof`] when less comes back from it than was written.
    pub fn finish<S>(mut self, threads: NonZeroUsize, sink: &S) -> io::Result<Summary>
    where
        S: PairSink<u64> + ?Sized,
    {
        self.seen = Vec::new();
        let mut summary = Summary { edges: self.edges, ..Summary::default() };
        let mut pending = match std::mem::replace(&mut self.top, Partitions::new(0, 0)).into_unwritten() {
            Ok(waiting) => {
                match_partition(waiting, threads, sink, &mut summary);
                Vec::new()
            }
            Err(top) => top.into_spilled(self.spill)?,
        };
        while let Some(part) = pending.pop() {
            match self.load(part)? {
                Loaded::Whole(edges) => match_partition(vec![edges], threads, sink, &mut summary),
                Loaded::Split(parts) => pending.extend(parts.into_spilled(self.spill)?),
            }
            self.spill.discard(part.number)?;
        }
        Ok(summary)
    }

    /// An edge to oneself matches nobody; here it stands for the owner, who so is counted in one partition only.
    fn note_owner(&mut self, owner: u64) {
        let seen = &mut self.seen[mix(owner) as usize % SEEN];
        if *seen != Some(owner) {
            *seen = Some(owner);
            self.top.put(Edge { owner, contact: owner });
        }
    }

    /// Reads a partition back: whole if it fits, else split by the next byte of the keys.
    fn load(&mut self, part: Spilled) -> io::Result<Loaded> {
        let mut reader = self.spill.open(part.number)?;
        let mut bytes = vec![0; EDGE_BYTES * READ_EDGES.min(self.matched_max)];
        let mut whole: Vec<Edge> = Vec::new();
        let mut split: Option<Partitions> = None;
        let mut left = part.edges;
        while left > 0 {
            let count = (bytes.len() / EDGE_BYTES).min(usize::try_from(left).unwrap_or(usize::MAX));
            left -= count as u64;
            let batch = &mut bytes[..count * EDGE_BYTES];
            reader.read_exact(batch).map_err(|error| shorter(error, part.number))?;
            whole.extend(batch.as_chunks::<EDGE_BYTES>().0.iter().map(edge_from));
            if split.is_none() && whole.len() > self.matched_max {
                // Repeats alone can make a partition great, and no splitting would part them.
                whole.sort_unstable();
                whole.dedup();
                if whole.len() > self.matched_max / 2 && part.level + 1 < LEVELS {
                    split = Some(Partitions::new(part.level + 1, self.next));
                    self.next += FAN_OUT as u64;
                }
            }
            if let Some(split) = &mut split {
                whole.drain(..).for_each(|edge| split.put(edge));
                if split.waiting_count() >= self.waiting_max {
                    split.write_out(self.spill)?;
                }
            }
        }
        Ok(split.map_or(Loaded::Whole(whole), Loaded::Split))
    }
}

enum Loaded {
    Whole(Vec<Edge>),
    Split(Partitions),
}

fn shorter(error: io::Error, partition: u64) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        let text = format!("partition {partition} of the spilled edges is shorter than what was written");
        io::Error::new(io::ErrorKind::UnexpectedEof, text)
    } else {
        error
    }
}

/// Matches the edges of one partition and counts the owners that are noted there.
fn match_partition<S>(mut edges: Vec<Vec<Edge>>, threads: NonZeroUsize, sink: &S, summary: &mut Summary)
where
    S: PairSink<u64> + ?Sized,
{
    let mut noted = Vec::new();
    for part in &mut edges {
        part.retain(|edge| {
            let note = edge.owner == edge.contact;
            if note {
                noted.push(edge.owner);
            }
            !note
        });
    }
    noted.sort_unstable();
    noted.dedup();
    summary.owners += noted.len() as u64;
    let found = match edges.as_slice() {
        [only] => match_edges(only.as_slice(), threads, sink),
        several => match_edges(several, threads, sink),
    };
    summary.mutual_pairs += found.mutual_pairs;
}
