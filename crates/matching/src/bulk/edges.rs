//! Matching edges that can be read twice.

use super::filter::Filter;
use super::grid::Grid;
use super::halves::{Halves, Word};
use super::join::join;
use super::owners::{OwnerCollector, Owners};
use super::sink::PairSink;
use super::source::EdgeSource;
use super::table::{BATCH, Table};
use super::work::share;
use super::{Edge, Summary};
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
    let grid = Grid::new::<W>(slices, Table::greatest(owners, slices))?;
    let table = Table::new(owners, slices);
    let filter = Filter::new(owners);
    let parts = edges.parts();
    let halves = share(threads, parts, |mine| {
        let room = edge_count.div_ceil(threads.get().min(parts).max(1));
        let mut thrower: Thrower<W> = Thrower::new(&table, &filter, grid, room);
        for part in mine {
            edges.read_part(part, &mut |chunk| thrower.throw(chunk));
        }
        thrower.finish()
    });
    Some(join(grid, &halves, threads, sink, |slice, local| table.key(slice, local)))
}

pub(super) fn collect_owners<E: EdgeSource + ?Sized>(edges: &E, threads: NonZeroUsize) -> (Owners, usize) {
    let collected = share(threads, edges.parts(), |mine| {
        let (mut owners, mut count, mut all) = (OwnerCollector::default(), 0, 0);
        for part in mine {
            edges.read_part(part, &mut |chunk| {
                count += chunk.len();
                all |= chunk.iter().fold(0, |all, edge| all | edge.owner | edge.contact);
                chunk.iter().for_each(|edge| owners.note(edge.owner));
            });
        }
        (owners.into_keys(), count, all)
    });
    let mut keys = Vec::with_capacity(collected.iter().map(|(owners, ..)| owners.len()).sum());
    let (mut count, mut all) = (0, 0);
    for (owners, edges, bits) in collected {
        keys.extend(owners);
        count += edges;
        all |= bits;
    }
    (Owners::rank(keys, all), count)
}

/// One edge that waits for others with contacts of the same slice.
#[derive(Clone, Copy, Default)]
struct Waiting {
    contact: u64,
    owner: u32,
}

/// Edges that wait for one slice: each line of the table is then used a few times once it is near, and what waits
/// for all slices does not overflow the caches.
const WAITING: usize = 32 * BATCH;

/// Owners are looked up one by one where so few follow one another in a batch; a lookup on its own takes about as
/// long as eight in a batch.
const OWNERS_ONE_BY_ONE: usize = BATCH / 8;

/// One thread's part of the second pass.
struct Thrower<'a, W> {
    table: &'a Table<'a>,
    filter: &'a Filter,
    grid: Grid,
    /// Room for as many edges of each slice as may wait, and how many do.
    waiting: Vec<Waiting>,
    filled: Vec<u32>,
    halves: Halves<W>,
    /// The owner of the edge before, and its address.
    last: Option<(u64, u32)>,
}

impl<'a, W: Word> Thrower<'a, W> {
    fn new(table: &'a Table<'a>, filter: &'a Filter, grid: Grid, halves_max: usize) -> Self {
        let waiting = vec![Waiting::default(); grid.slices * WAITING];
        let halves = Halves::new(grid.squares(), halves_max);
        Self { table, filter, grid, waiting, filled: vec![0; grid.slices], halves, last: None }
    }

    fn throw(&mut self, edges: &[Edge]) {
        for batch in edges.chunks(BATCH) {
            let changes = batch.windows(2).map(|two| u32::from(two[0].owner != two[1].owner)).sum::<u32>();
            if changes as usize <= OWNERS_ONE_BY_ONE {
                batch.chunk_by(|a, b| a.owner == b.owner).for_each(|edges| self.throw_book(edges));
            } else {
                self.throw_mixed(batch);
            }
        }
    }

    /// Throws edges of one owner.
    #[inline(always)]
    fn throw_book(&mut self, edges: &[Edge]) {
        let Some(&Edge { owner: key, .. }) = edges.first() else { return };
        let owner = match self.last {
            Some((last, owner)) if last == key => owner,
            _ => self.address(self.table.find(self.table.spread().of(key))),
        };
        self.last = Some((key, owner));
        // Who passes is written down without a branch, which would be wrong half of the time.
        let (mut passed, mut count) = ([0; BATCH], 0);
        for edge in edges {
            let contact = self.table.spread().of(edge.contact);
            if let Some(place) = passed.get_mut(count) {
                *place = contact;
            }
            count += self.filter.passes(contact);
        }
        for &contact in passed.iter().take(count) {
            self.wait(contact, owner);
        }
    }

    /// Throws edges of many owners.
    fn throw_mixed(&mut self, batch: &[Edge]) {
        for edge in batch {
            let owner = self.address(self.table.find(self.table.spread().of(edge.owner)));
            let contact = self.table.spread().of(edge.contact);
            if self.filter.passes(contact) == 1 {
                self.wait(contact, owner);
            }
        }
    }

    #[inline(always)]
    fn address(&self, (slice, local): (usize, u32)) -> u32 {
        self.grid.address(slice, local)
    }

    #[inline(always)]
    fn wait(&mut self, contact: u64, owner: u32) {
        let slice = self.table.slice(contact);
        let filled = self.filled[slice] as usize;
        self.waiting[slice * WAITING + filled] = Waiting { contact, owner };
        self.filled[slice] = filled as u32 + 1;
        if filled + 1 == WAITING {
            self.look_up_slice(slice);
        }
    }

    /// Looks up what waits for one slice, and throws what is between owners.
    #[inline(never)]
    fn look_up_slice(&mut self, slice: usize) {
        let filled = std::mem::take(&mut self.filled[slice]) as usize;
        let start = slice * WAITING;
        if filled > BATCH {
            self.table.bring_near(slice);
        }
        // Up to a whole batch; what is beyond was looked up before, or is no edge, and is not thrown.
        for from in (start..start + filled).step_by(BATCH) {
            let edges = (start + filled - from).min(BATCH);
            if self.table.exact() {
                self.look_up::<true>(slice, from, edges);
            } else {
                self.look_up::<false>(slice, from, edges);
            }
        }
    }

    #[inline(always)]
    fn look_up<const EXACT: bool>(&mut self, slice: usize, from: usize, edges: usize) {
        let grid = self.grid;
        let Some(batch) = self.waiting[from..].first_chunk::<BATCH>() else { return };
        let mut locals = [0; BATCH];
        self.table.find_batch::<EXACT>(slice, |at| batch[at].contact, &mut locals);
        // Those between owners first, without a branch; more is done for these alone.
        let (mut kept, mut count) = ([(0, 0); BATCH], 0);
        for (one, &local) in batch.iter().zip(&locals).take(edges) {
            let contact = grid.address(slice, local);
            kept[count] = (one.owner, contact);
            count += usize::from((local != 0) & (contact != one.owner));
        }
        for &(owner, contact) in &kept[..count] {
            self.halves.push(grid.square(owner, contact), grid.half(owner, contact));
        }
    }

    fn finish(mut self) -> Halves<W> {
        (0..self.grid.slices).for_each(|slice| self.look_up_slice(slice));
        self.halves
    }
}
