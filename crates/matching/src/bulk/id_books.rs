//! Matching books that name people by dense ids already.

use super::Summary;
use super::halves::{Halves, NARROW_IDS_MAX, Split, Word};
use super::join::HalfSet;
use super::sink::{Outbox, PairSink};
use super::work::share;
use std::num::NonZeroUsize;
use std::ops::Range;

/// Books by the owner's id: each one ascending, ids below [`IdBooks::owners`] being registered people.
pub trait IdBooks: Sync {
    /// Number of registered people; their ids are those below. Those without contacts have an empty book.
    fn owners(&self) -> u32;

    /// The contacts of one of them.
    fn book(&self, owner: u32) -> &[u32];
}

impl IdBooks for [Vec<u32>] {
    fn owners(&self) -> u32 {
        self.len().try_into().unwrap_or(u32::MAX)
    }

    fn book(&self, owner: u32) -> &[u32] {
        self.get(owner as usize).map_or(&[], Vec::as_slice)
    }
}

/// Finds all pairs that stand in one another's books, on so many threads.
///
/// Repeats and people in their own book are harmless; the pairs of a book that does not ascend may be missed.
/// [`Summary::edges`] counts all contacts, [`Summary::owners`] all registered people. O(edges).
///
/// Books ascend, so the contacts behind the owner are already in the order of the smaller id: only those before
/// the owner are thrown into partitions, as 4 bytes each, and looked up among the former. So it takes 2 bytes
/// an edge between registered people beyond the input.
pub fn match_id_books<B, S>(books: &B, threads: NonZeroUsize, sink: &S) -> Summary
where
    B: IdBooks + ?Sized,
    S: PairSink<u32> + ?Sized,
{
    if books.owners() as usize <= NARROW_IDS_MAX {
        match_words::<u32, B, S>(books, threads, sink)
    } else {
        match_words::<u64, B, S>(books, threads, sink)
    }
}

/// Owners whose books are one piece of work: some 180,000 contacts.
const PIECE: usize = 1024;

pub(super) fn match_words<W, B, S>(books: &B, threads: NonZeroUsize, sink: &S) -> Summary
where
    W: Word,
    B: IdBooks + ?Sized,
    S: PairSink<u32> + ?Sized,
{
    let owners = books.owners() as usize;
    let pieces = owners.div_ceil(PIECE);
    let owners_of = |piece: usize| piece * PIECE..((piece + 1) * PIECE).min(owners);
    let counts = share(threads, pieces, |mine| {
        mine.flat_map(owners_of).map(|owner| books.book(owner as u32).len()).sum::<usize>()
    });
    let edges: usize = counts.iter().sum();
    let split = Split::new::<W>(owners, edges);
    let backward = share(threads, pieces, |mine| {
        let room = edges.div_ceil(threads.get().min(pieces).max(1));
        let mut halves: Halves<W> = Halves::new(split.partitions, room);
        for owner in mine.flat_map(owners_of).map(|owner| owner as u32) {
            let book = books.book(owner);
            let before = &book[..book.partition_point(|&contact| contact < owner)];
            for &contact in before {
                halves.push(
                    split.partition(owner, contact.min(owner)),
                    split.half(owner, contact),
                    contact < owner,
                );
            }
        }
        halves
    });
    let pairs = share(threads, split.partitions, |mine| {
        let mut set = HalfSet::new();
        let mut outbox = Outbox::new(sink);
        for partition in mine {
            let ids = split.id_range(partition, owners);
            let known = ids.clone().map(|owner| forward(books, owner as u32).len()).sum();
            set.reset(known);
            insert_forward::<W, B>(books, split, ids, &mut set);
            for &half in backward.iter().flat_map(|halves| halves.blocks(partition)).flatten() {
                if set.take(half) {
                    outbox.put(|| split.ids(partition, half));
                }
            }
        }
        outbox.finish()
    });
    Summary { edges: edges as u64, owners: owners as u64, mutual_pairs: pairs.iter().sum() }
}

/// The registered contacts that come after the owner.
fn forward<B: IdBooks + ?Sized>(books: &B, owner: u32) -> &[u32] {
    let book = books.book(owner);
    let end = book.partition_point(|&contact| contact < books.owners());
    &book[book.partition_point(|&contact| contact <= owner).min(end)..end]
}

fn insert_forward<W, B>(books: &B, split: Split, owners: Range<usize>, set: &mut HalfSet<W>)
where
    W: Word,
    B: IdBooks + ?Sized,
{
    for owner in owners.map(|owner| owner as u32) {
        for &contact in forward(books, owner) {
            set.insert(split.half(owner, contact));
        }
    }
}
