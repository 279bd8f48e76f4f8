//! Matching edges that can be read twice.

use super::grid::Grid;
use super::halves::{Halves, Word};
use super::join::join;
use super::owners::{BATCH, OwnerCollector, Owners, scale};
use super::sink::PairSink;
use super::source::EdgeSource;
use super::work::share;
use super::{Edge, Summary};
use crate::mix::mix;
use std::num::NonZeroUsize;

/// Finds all pairs whose edges stand in both directions, on so many threads.
///
/// Every owner of an edge counts as registered. Repeated edges count once, edges to oneself never. The pairs
/// are the same, as a set, at any number of threads.
///
/// Three passes, each shared out among the threads: collect the owners and rank them; look every contact up,
/// slice by slice of the ranks, and throw the edges between owners, as 4 bytes each, into the squares of a grid
/// of slices; in each square put the edges of one direction into a small set and look those of the other up.
/// O(edges + owners log owners); beyond the input it takes 4 bytes an edge between owners (8 above some 16
/// million owners), 18 an owner and up to 32 MB a thread.
pub fn match_edges<E, S>(edges: &E, threads: NonZeroUsize, sink: &S) -> Summary
where
    E: EdgeSource + ?Sized,
    S: PairSink<u64> + ?Sized,
{
    let (owners, edge_count) = collect_owners(edges, threads);
    let slices = Grid::slices_for(owners.count(), edge_count);
    let pairs = match_owners::<u32, E, S>(edges, edge_count, &owners, slices, threads, sink)
        .or_else(|| match_owners::<u64, E, S>(edges, edge_count, &owners, slices, threads, sink))
        // Any owners fit one slice.
        .or_else(|| match_owners::<u64, E, S>(edges, edge_count, &owners, 1, threads, sink))
        .unwrap_or(0);
    Summary { edges: edge_count as u64, owners: owners.count() as u64, mutual_pairs: pairs }
}

/// The second and the third pass; gives the number of pairs, or `None` where the slices are too large for `W`.
pub(super) fn match_owners<W, E, S>(
    edges: &E,
    edge_count: usize,
    owners: &Owners,
    slices: usize,
    threads: NonZeroUsize,
    sink: &S,
) -> Option<u64>
where
    W: Word,
    E: EdgeSource + ?Sized,
    S: PairSink<u64> + ?Sized,
{
    let starts = owners.slice_starts(slices);
    let greatest = starts.windows(2).map(|two| two[1] - two[0]).max().unwrap_or(0);
    let grid = Grid::new::<W>(slices, greatest as usize)?;
    let parts = edges.parts();
    let halves = share(threads, parts, |mine| {
        let room = edge_count.div_ceil(threads.get().min(parts).max(1));
        let mut thrower: Thrower<W> = Thrower::new(owners, grid, &starts, room);
        for part in mine {
            edges.read_part(part, &mut |chunk| thrower.throw(chunk));
        }
        thrower.finish()
    });
    Some(join(grid, &halves, threads, sink, |slice, local| owners.key(starts[slice] + local - 1)))
}

pub(super) fn collect_owners<E: EdgeSource + ?Sized>(edges: &E, threads: NonZeroUsize) -> (Owners, usize) {
    let collected = share(threads, edges.parts(), |mine| {
        let (mut owners, mut count) = (OwnerCollector::default(), 0);
        for part in mine {
            edges.read_part(part, &mut |chunk| {
                count += chunk.len();
                chunk.iter().for_each(|edge| owners.note(edge.owner));
            });
        }
        (owners.into_mixed(), count)
    });
    let mut mixed = Vec::with_capacity(collected.iter().map(|(owners, _)| owners.len()).sum());
    let mut count = 0;
    for (owners, edges) in collected {
        mixed.extend(owners);
        count += edges;
    }
    (Owners::from_mixed(mixed), count)
}

/// One edge that waits for others with contacts of the same slice.
#[derive(Clone, Copy, Default)]
struct Waiting {
    mixed_contact: u64,
    owner: u32,
}

/// Edges that wait for one slice: each of its lines is then used about five times once it is near.
const WAITING: usize = 128 * BATCH;

/// Up to so many slices, 3 MB of owners, waiting for others costs more than looking up at once.
const SLICES_AT_ONCE: usize = 16;

/// One thread's part of the second pass.
struct Thrower<'a, W> {
    owners: &'a Owners,
    grid: Grid,
    /// The first rank of each slice.
    starts: &'a [u32],
    waiting: Vec<Vec<Waiting>>,
    halves: Halves<W>,
    /// The owner of the edge before, and its address.
    last: Option<(u64, u32)>,
}

impl<'a, W: Word> Thrower<'a, W> {
    fn new(owners: &'a Owners, grid: Grid, starts: &'a [u32], halves_max: usize) -> Self {
        let room = WAITING.min(halves_max.next_multiple_of(BATCH));
        let waiting = (0..grid.slices).map(|_| Vec::with_capacity(room)).collect();
        Self { owners, grid, starts, waiting, halves: Halves::new(grid.squares(), halves_max), last: None }
    }

    fn throw(&mut self, edges: &[Edge]) {
        for batch in edges.chunks(BATCH) {
            let mut waiting = [Waiting::default(); BATCH];
            let mut owners = [0; BATCH];
            self.find_owners(batch, &mut owners);
            for ((edge, owner), place) in batch.iter().zip(owners).zip(&mut waiting) {
                *place = Waiting { mixed_contact: mix(edge.contact), owner };
            }
            if self.grid.slices <= SLICES_AT_ONCE {
                self.look_up(&waiting, batch.len());
            } else {
                waiting.iter().take(batch.len()).for_each(|&one| self.wait(one));
            }
        }
    }

    #[inline(always)]
    fn wait(&mut self, one: Waiting) {
        let slice = scale(one.mixed_contact, self.grid.slices);
        let waiting = &mut self.waiting[slice];
        waiting.push(one);
        if waiting.len() >= WAITING {
            self.look_up_slice(slice);
        }
    }

    /// Looks up what waits for one slice.
    #[inline(never)]
    fn look_up_slice(&mut self, slice: usize) {
        let mut waiting = std::mem::take(&mut self.waiting[slice]);
        let (batches, rest) = waiting.as_chunks::<BATCH>();
        batches.iter().for_each(|batch| self.look_up(batch, BATCH));
        let mut batch = [Waiting::default(); BATCH];
        batch[..rest.len()].copy_from_slice(rest);
        self.look_up(&batch, rest.len());
        waiting.clear();
        self.waiting[slice] = waiting;
    }

    /// Looks the contacts of some edges up and throws what is between owners.
    #[inline]
    fn look_up(&mut self, batch: &[Waiting; BATCH], edges: usize) {
        let grid = self.grid;
        let mut ids = [0; BATCH];
        self.owners.find_batch(|at| batch[at].mixed_contact, &mut ids);
        for (one, &id) in batch.iter().zip(&ids).take(edges) {
            let slice = scale(one.mixed_contact, grid.slices);
            let known = id != Owners::NONE;
            // An unknown contact stands for the first of its slice, so that its square is in range.
            let local = if known { id.wrapping_sub(self.starts[slice]) } else { 0 };
            let contact = grid.address(slice, local + 1);
            let keep = known & (contact != one.owner);
            self.halves.push(grid.square(one.owner, contact), grid.half(one.owner, contact), keep);
        }
    }

    fn finish(mut self) -> Halves<W> {
        (0..self.grid.slices).for_each(|slice| self.look_up_slice(slice));
        self.halves
    }

    /// Finds the owners' addresses: one by one where each has many edges in a row, together where they have not.
    #[inline]
    fn find_owners(&mut self, batch: &[Edge], addresses: &mut [u32; BATCH]) {
        let mut last = self.last;
        let mut alone = 0;
        for (edge, place) in batch.iter().zip(addresses.iter_mut()) {
            let address = match last {
                Some((owner, address)) if owner == edge.owner => address,
                _ if alone == OWNERS_ONE_BY_ONE => return self.find_all_owners(batch, addresses),
                _ => {
                    alone += 1;
                    let mixed = mix(edge.owner);
                    self.address(mixed, self.owners.find(mixed))
                }
            };
            last = Some((edge.owner, address));
            *place = address;
        }
        self.last = last;
    }

    fn find_all_owners(&self, batch: &[Edge], addresses: &mut [u32; BATCH]) {
        let mixed = |at: usize| batch.get(at).map_or(0, |edge| mix(edge.owner));
        let mut ids = [0; BATCH];
        self.owners.find_batch(mixed, &mut ids);
        for (at, (address, id)) in addresses.iter_mut().zip(ids).enumerate() {
            *address = self.address(mixed(at), id);
        }
    }

    #[inline]
    fn address(&self, mixed: u64, id: u32) -> u32 {
        let slice = scale(mixed, self.grid.slices);
        self.grid.address(slice, id.wrapping_sub(self.starts[slice]).wrapping_add(1))
    }
}

/// A lookup on its own takes about as long as eight in a batch.
const OWNERS_ONE_BY_ONE: usize = BATCH / 8;
