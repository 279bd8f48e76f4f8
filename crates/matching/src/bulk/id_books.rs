//! Matching books that name people by dense ids already.

use super::Summary;
use super::grid::Grid;
use super::halves::{Halves, Word};
use super::join::join;
use super::sink::PairSink;
use super::work::share;
use std::num::NonZeroUsize;

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
/// [`Summary::edges`] counts all contacts, [`Summary::owners`] all registered people. O(edges); beyond the input
/// it takes 4 bytes an edge between registered people (8 above some 16 million).
pub fn match_id_books<B, S>(books: &B, threads: NonZeroUsize, sink: &S) -> Summary
where
    B: IdBooks + ?Sized,
    S: PairSink<u32> + ?Sized,
{
    let owners = books.owners() as usize;
    let pieces = owners.div_ceil(PIECE);
    let counts = share(threads, pieces, |mine| {
        let owners_of = |piece: usize| piece * PIECE..((piece + 1) * PIECE).min(owners);
        mine.flat_map(owners_of).map(|owner| books.book(owner as u32).len()).sum::<usize>()
    });
    let edges: usize = counts.iter().sum();
    let slices = Grid::slices_for(owners, edges);
    let pairs = match_books::<u32, B, S>(books, edges, slices, threads, sink)
        .or_else(|| match_books::<u64, B, S>(books, edges, slices, threads, sink))
        // Any owners fit one slice.
        .or_else(|| match_books::<u64, B, S>(books, edges, 1, threads, sink))
        .unwrap_or(0);
    Summary { edges: edges as u64, owners: owners as u64, mutual_pairs: pairs }
}

/// Owners whose books are one piece of work: some 180,000 contacts.
const PIECE: usize = 1024;

/// Throws and joins; gives the number of pairs, or `None` where the slices are too large for `W`.
pub(super) fn match_books<W, B, S>(
    books: &B,
    edges: usize,
    slices: usize,
    threads: NonZeroUsize,
    sink: &S,
) -> Option<u64>
where
    W: Word,
    B: IdBooks + ?Sized,
    S: PairSink<u32> + ?Sized,
{
    let owners = books.owners() as usize;
    let slice_ids = owners.div_ceil(slices).max(1);
    let grid = Grid::new::<W>(slices, slice_ids)?;
    // Pieces do not cross slices, so that one piece goes into the squares of one column.
    let slice_pieces = slice_ids.div_ceil(PIECE);
    let pieces = slices * slice_pieces;
    let halves = share(threads, pieces, |mine| {
        let room = edges.div_ceil(threads.get().min(pieces).max(1));
        let mut halves: Halves<W> = Halves::new(grid.squares(), room);
        for piece in mine {
            let (slice, first) = (piece / slice_pieces, piece % slice_pieces * PIECE);
            for at in first..(first + PIECE).min(slice_ids) {
                let owner = slice * slice_ids + at;
                if owner < owners {
                    let address = grid.address(slice, at as u32 + 1);
                    throw_book(books.book(owner as u32), address, (owners, slice_ids), grid, &mut halves);
                }
            }
        }
        halves
    });
    Some(join(grid, &halves, threads, sink, |slice, local| (slice * slice_ids) as u32 + local - 1))
}

/// Throws one book's registered contacts.
#[inline]
fn throw_book<W: Word>(
    book: &[u32],
    owner: u32,
    (owners, slice_ids): (usize, usize),
    grid: Grid,
    halves: &mut Halves<W>,
) {
    // The book ascends, so its slices follow one another and no contact has to be divided.
    let (mut slice, mut slice_start, mut slice_end) = (0, 0, slice_ids);
    for &contact in book {
        let id = contact as usize;
        if id >= owners {
            return;
        }
        if id < slice_start {
            // This book does not ascend.
            (slice, slice_start, slice_end) = (0, 0, slice_ids);
        }
        while id >= slice_end {
            (slice, slice_start, slice_end) = (slice + 1, slice_end, slice_end + slice_ids);
        }
        let contact = grid.address(slice, (id - slice_start) as u32 + 1);
        // Hardly anybody is in their own book, so this is told in advance nearly always.
        if contact != owner {
            halves.push(grid.square(owner, contact), grid.half(owner, contact));
        }
    }
}
