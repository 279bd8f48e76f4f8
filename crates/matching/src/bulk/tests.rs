use super::edges::{collect_owners, match_owners};
use super::id_books::match_books;
use super::*;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZeroUsize;
use std::sync::Mutex;

type Found<K> = (Summary, Vec<(K, K)>);

fn edge() -> impl Strategy<Value = Edge> {
    let key = || prop_oneof![6 => 0u64..30, 2 => (0u64..9).prop_map(|low| u64::MAX - low), 1 => any::<u64>()];
    (key(), key()).prop_map(|(owner, contact)| Edge { owner, contact })
}

fn naive(edges: &[Edge]) -> Found<u64> {
    let set: BTreeSet<(u64, u64)> = edges.iter().map(|edge| (edge.owner, edge.contact)).collect();
    let pairs: Vec<_> = set.iter().copied().filter(|&(a, b)| a < b && set.contains(&(b, a))).collect();
    let owners: BTreeSet<u64> = edges.iter().map(|edge| edge.owner).collect();
    let counts = [edges.len(), owners.len(), pairs.len()].map(|count| count as u64);
    (Summary { edges: counts[0], owners: counts[1], mutual_pairs: counts[2] }, pairs)
}

/// Gathers what a matcher hands over; each pair once, so that repeats would show.
fn gather<K: Ord + Copy + Send>(run: impl FnOnce(&(dyn Fn(&[(K, K)]) + Sync)) -> Summary) -> Found<K> {
    let found = Mutex::new(Vec::new());
    let summary = run(&|pairs: &[(K, K)]| found.lock().unwrap().extend_from_slice(pairs));
    let mut pairs = found.into_inner().unwrap();
    pairs.sort_unstable();
    (summary, pairs)
}

fn some(threads: usize) -> NonZeroUsize {
    NonZeroUsize::new(threads).unwrap()
}

/// Partitions in memory; a full disk after so many bytes.
struct InMemory {
    partitions: BTreeMap<u64, Vec<u8>>,
    room: usize,
    lost: usize,
}

impl InMemory {
    fn new() -> Self {
        Self { partitions: BTreeMap::new(), room: usize::MAX, lost: 0 }
    }
}

impl Spill for InMemory {
    fn append(&mut self, partition: u64, bytes: &[u8]) -> io::Result<()> {
        self.room = self.room.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        self.partitions.entry(partition).or_default().extend_from_slice(bytes);
        Ok(())
    }

    fn open(&mut self, partition: u64) -> io::Result<Box<dyn io::Read>> {
        let mut bytes = self.partitions.get(&partition).cloned().ok_or(io::ErrorKind::NotFound)?;
        bytes.truncate(bytes.len() - self.lost);
        Ok(Box::new(io::Cursor::new(bytes)))
    }

    fn discard(&mut self, partition: u64) -> io::Result<()> {
        self.partitions.remove(&partition).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }
}

fn streamed(
    parts: &[Vec<Edge>],
    budget: usize,
    threads: usize,
    spill: &mut InMemory,
) -> io::Result<Found<u64>> {
    let mut stream = EdgeStream::new(budget, spill);
    for part in parts {
        stream.push(part)?;
    }
    let mut result = Ok(Summary::default());
    let found = gather(|sink| {
        result = stream.finish(some(threads), sink);
        Summary::default()
    });
    Ok((result?, found.1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_edges_match_as_the_naive_matcher_says(parts in vec(vec(edge(), 0..150), 0..6), threads in 1usize..5) {
        let edges = parts.concat();
        let expected = naive(&edges);
        prop_assert_eq!(&gather(|sink| match_edges(parts.as_slice(), some(threads), sink)), &expected);
        prop_assert_eq!(&gather(|sink| match_edges(edges.as_slice(), some(threads), sink)), &expected);
        let counted = match_edges(edges.as_slice(), some(threads), &CountOnly);
        prop_assert_eq!(counted, expected.0);
    }

    #[test]
    fn any_grid_matches_as_the_naive_matcher_says(
        edges in vec(edge(), 1..300), threads in 1usize..4, power in 0u32..6, wide: bool,
    ) {
        let slices = 1 << power;
        let some_threads = some(threads);
        let (owners, count) = collect_owners(edges.as_slice(), some(threads));
        let found = gather(|sink| Summary {
            edges: count as u64,
            owners: owners.count() as u64,
            mutual_pairs: if wide {
                match_owners::<u64, _, _>(edges.as_slice(), count, &owners, slices, some_threads, sink).unwrap()
            } else {
                match_owners::<u32, _, _>(edges.as_slice(), count, &owners, slices, some_threads, sink).unwrap()
            },
        });
        prop_assert_eq!(found, naive(&edges));
    }

    #[test]
    fn a_stream_matches_as_the_naive_matcher_says_at_any_budget(
        parts in vec(vec(edge(), 0..150), 0..6),
        budget in prop_oneof![Just(0usize), 0usize..20_000, Just(usize::MAX)],
        threads in 1usize..4,
    ) {
        let mut spill = InMemory::new();
        prop_assert_eq!(streamed(&parts, budget, threads, &mut spill).unwrap(), naive(&parts.concat()));
        prop_assert!(spill.partitions.is_empty(), "partitions are left over");
    }

    #[test]
    fn a_full_disk_and_lost_bytes_are_errors(
        edges in vec(edge(), 100..300), room in 0usize..1600, lost in 1usize..16,
    ) {
        let mut full = InMemory { room, ..InMemory::new() };
        let error = streamed(std::slice::from_ref(&edges), 500, 1, &mut full).unwrap_err();
        prop_assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        let mut lossy = InMemory { lost, ..InMemory::new() };
        let error = streamed(&[edges], 500, 1, &mut lossy).unwrap_err();
        prop_assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn books_of_ids_match_as_the_naive_matcher_says(
        books in vec(btree_set(prop_oneof![0u32..50, any::<u32>()], 0..40), 0..50),
        threads in 1usize..4,
        power in 0u32..6,
    ) {
        let books: Vec<Vec<u32>> = books.into_iter().map(|book| book.into_iter().collect()).collect();
        let in_book = |owner: u32, contact: u32| books[owner as usize].contains(&contact);
        let ids = 0..books.len() as u32;
        let pairs: Vec<(u32, u32)> = ids
            .clone()
            .flat_map(|a| ids.clone().map(move |b| (a, b)))
            .filter(|&(a, b)| a < b && in_book(a, b) && in_book(b, a))
            .collect();
        let summary = Summary {
            edges: books.iter().map(Vec::len).sum::<usize>() as u64,
            owners: books.len() as u64,
            mutual_pairs: pairs.len() as u64,
        };
        let expected = (summary, pairs);
        prop_assert_eq!(&gather(|sink| match_id_books(books.as_slice(), some(threads), sink)), &expected);
        let (count, slices) = (summary.edges as usize, 1 << power);
        let narrow = gather(|sink| {
            let pairs = match_books::<u32, _, _>(books.as_slice(), count, slices, some(threads), sink);
            Summary { mutual_pairs: pairs.unwrap(), ..summary }
        });
        prop_assert_eq!(&narrow, &expected);
        let wide = gather(|sink| {
            let pairs = match_books::<u64, _, _>(books.as_slice(), count, slices, some(threads), sink);
            Summary { mutual_pairs: pairs.unwrap(), ..summary }
        });
        prop_assert_eq!(&wide, &expected);
    }

    #[test]
    fn unsorted_books_of_ids_never_panic(books in vec(vec(0u32..40, 0..40), 0..30)) {
        match_id_books(books.as_slice(), some(2), &CountOnly);
        prop_assert!(match_books::<u32, _, _>(books.as_slice(), 900, 8, some(2), &CountOnly).is_some());
    }
}

#[test]
fn no_edges_match_nobody() {
    assert_eq!(match_edges::<[Edge], _>(&[], some(3), &CountOnly), Summary::default());
}

#[test]
fn many_edges_fill_many_blocks_and_partitions() {
    // Everybody lists the 300 who follow, and half of those list back.
    let people = 1_500u64;
    let forth = (0..people).flat_map(|owner| (1..=300).map(move |step| (owner, (owner + step) % people)));
    let edges: Vec<Edge> = forth
        .flat_map(|(a, b)| [(a, b)].into_iter().chain((b % 2 == 0).then_some((b, a))))
        .map(|(owner, contact)| Edge { owner, contact })
        .collect();
    let (expected, pairs) = naive(&edges);
    for threads in [1, 3] {
        let found = gather(|sink| match_edges(edges.as_slice(), some(threads), sink));
        assert!(found == (expected, pairs.clone()), "{threads} threads");
    }
    let mut spill = InMemory::new();
    let found = streamed(&[edges], 1 << 20, 2, &mut spill).unwrap();
    assert!(found == (expected, pairs), "streamed");
}
