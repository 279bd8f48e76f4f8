//! Matching edges that can be read twice.

use super::halves::{Halves, NARROW_IDS_MAX, Split, Word};
use super::join::HalfSet;
use super::owners::{BATCH, OwnerCollector, Owners};
use super::sink::{Outbox, PairSink};
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
/// Three passes, each shared out among the threads: collect the owners and rank them; look every contact up and
/// throw the edges between owners, as 4 bytes each, into partitions by the smaller rank; in each partition put
/// the edges of one direction into a small set and look those of the other up. O(edges + owners log owners);
/// beyond the input it takes 4 bytes an edge between owners and 18 an owner.
pub fn match_edges<E, S>(edges: &E, threads: NonZeroUsize, sink: &S) -> Summary
where
    E: EdgeSource + ?Sized,
    S: PairSink<u64> + ?Sized,
{
    let (owners, edge_count) = collect_owners(edges, threads);
    let pairs = if owners.count() <= NARROW_IDS_MAX {
        match_owners::<u32, E, S>(edges, edge_count, &owners, threads, sink)
    } else {
        match_owners::<u64, E, S>(edges, edge_count, &owners, threads, sink)
    };
    Summary { edges: edge_count as u64, owners: owners.count() as u64, mutual_pairs: pairs }
}

/// The second and the third pass; gives the number of pairs.
pub(super) fn match_owners<W, E, S>(
    edges: &E,
    edge_count: usize,
    owners: &Owners,
    threads: NonZeroUsize,
    sink: &S,
) -> u64
where
    W: Word,
    E: EdgeSource + ?Sized,
    S: PairSink<u64> + ?Sized,
{
    let parts = edges.parts();
    let split = Split::new::<W>(owners.count(), edge_count);
    let halves = share(threads, parts, |mine| {
        let room = edge_count.div_ceil(threads.get().min(parts).max(1));
        let halves: Halves<W> = Halves::new(split.partitions * 2, room);
        let mut thrower = Thrower { owners, split, halves, last: (0, Owners::NONE) };
        for part in mine {
            edges.read_part(part, &mut |chunk| thrower.throw(chunk));
        }
        thrower.halves
    });
    let pairs = share(threads, split.partitions, |mine| {
        let mut set = HalfSet::new();
        let mut outbox = Outbox::new(sink);
        for partition in mine {
            let (forward, backward) = (partition * 2, partition * 2 + 1);
            set.reset(halves.iter().map(|halves| halves.count(forward)).sum());
            for block in halves.iter().flat_map(|halves| halves.blocks(forward)) {
                block.iter().for_each(|&half| set.insert(half));
            }
            for &half in halves.iter().flat_map(|halves| halves.blocks(backward)).flatten() {
                if set.take(half) {
                    let (a, b) = split.ids(partition, half);
                    outbox.put(|| (owners.key(a), owners.key(b)));
                }
            }
        }
        outbox.finish()
    });
    pairs.iter().sum()
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

/// One thread's part of the second pass.
struct Thrower<'a, W> {
    owners: &'a Owners,
    split: Split,
    halves: Halves<W>,
    /// The owner of the edge before, and its id.
    last: (u64, u32),
}

impl<W: Word> Thrower<'_, W> {
    fn throw(&mut self, edges: &[Edge]) {
        let (batches, rest) = edges.as_chunks::<BATCH>();
        for batch in batches {
            self.throw_batch(batch, BATCH);
        }
        if !rest.is_empty() {
            // What lies beyond is looked up and then left alone.
            let mut batch = [Edge::default(); BATCH];
            batch[..rest.len()].copy_from_slice(rest);
            self.throw_batch(&batch, rest.len());
        }
    }

    #[inline]
    fn throw_batch(&mut self, batch: &[Edge; BATCH], edges: usize) {
        let (mut owner_ids, mut contact_ids) = ([0; BATCH], [0; BATCH]);
        self.find_owners(batch, &mut owner_ids);
        self.owners.find_batch(|at| batch[at].contact, &mut contact_ids);
        for (&owner, &contact) in owner_ids.iter().zip(&contact_ids).take(edges) {
            let keep = (contact != Owners::NONE) & (contact != owner);
            // A contact that is no owner counts as the greatest id, so its place is in range.
            let place = self.split.partition(owner, contact) * 2 + usize::from(owner > contact);
            self.halves.push(place, self.split.half(owner, contact), keep);
        }
    }

    /// Finds the owners' ids: one by one where each has many edges in a row, together where they have not.
    #[inline]
    fn find_owners(&mut self, batch: &[Edge; BATCH], ids: &mut [u32; BATCH]) {
        let (mut owner, mut id) = self.last;
        let mut alone = 0;
        for (edge, place) in batch.iter().zip(ids.iter_mut()) {
            if edge.owner != owner || id == Owners::NONE {
                alone += 1;
                if alone > OWNERS_ONE_BY_ONE {
                    self.owners.find_batch(|at| batch[at].owner, ids);
                    self.last = (batch[BATCH - 1].owner, ids[BATCH - 1]);
                    return;
                }
                (owner, id) = (edge.owner, self.owners.find(mix(edge.owner)));
            }
            *place = id;
        }
        self.last = (owner, id);
    }
}

/// A lookup on its own takes about as long as eight in a batch.
const OWNERS_ONE_BY_ONE: usize = BATCH / 8;
