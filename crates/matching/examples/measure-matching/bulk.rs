//! Everybody at once.

use crate::population::{Population, Random};
use crate::{memory, wanted};
use matching::bulk::{CountOnly, Edge, EdgeStream, IdBooks, Spill, match_edges, match_id_books};
use std::collections::HashMap;
use std::io;
use std::num::NonZeroUsize;
use std::time::Instant;

/// Runs once for the memory and so many times for the clock, and prints the figures.
fn measure(what: &str, edges: usize, times: u64, mut run: impl FnMut() -> u64) {
    if !wanted(what) {
        return;
    }
    let (pairs, bytes) = peak_of(&mut run);
    let extra = bytes as f64 / edges as f64;
    let mut seconds: Vec<f64> = (0..times.max(1))
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(run());
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let (median, least) = (seconds[seconds.len() / 2], seconds[0]);
    println!(
        "{{\"what\":\"{what}\",\"edges\":{edges},\"mutual_pairs\":{pairs},\"seconds\":{median:.4},\
         \"seconds_least\":{least:.4},\"edges_per_second\":{:.0},\"extra_bytes_per_edge\":{extra:.2}}}",
        edges as f64 / median
    );
}

/// Runs something and tells how many bytes of memory it took at its peak.
pub(crate) fn peak_of(run: impl FnOnce() -> u64) -> (u64, u64) {
    // Writing 5 resets the peak; where that is not allowed the figure is too high, never too low.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = memory("VmRSS");
    let value = run();
    (value, memory("VmHWM").saturating_sub(before))
}

/// Reads every edge once: the limit.
pub(crate) fn read_all(edges: &[Edge], threads: NonZeroUsize) -> u64 {
    std::thread::scope(|scope| {
        let parts = edges.chunks(edges.len().div_ceil(threads.get()));
        let sum = |part: &[Edge]| part.iter().fold(0, |sum, edge| sum ^ edge.owner ^ edge.contact);
        let sums: Vec<_> = parts.map(|part| scope.spawn(move || sum(part))).collect();
        sums.into_iter().fold(0, |sum, part| sum ^ part.join().unwrap())
    })
}

/// Edges as pairs of keys in memory, and the limit: reading each once.
pub(crate) fn raw_edges(population: &Population, threads: NonZeroUsize, times: u64) {
    if !wanted("bulk_raw") && !wanted("bulk_read") {
        return;
    }
    let edges: Vec<Edge> = population.edges().collect();
    measure("bulk_read", edges.len(), times, || read_all(&edges, threads) & 1);
    measure("bulk_raw", edges.len(), times, || {
        match_edges(edges.as_slice(), threads, &CountOnly).mutual_pairs
    });
}

/// Partitions as vectors: what is measured is the matcher, not a disk.
#[derive(Default)]
struct InMemory(HashMap<u64, Vec<u8>>);

impl Spill for InMemory {
    fn append(&mut self, partition: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.entry(partition).or_default().extend_from_slice(bytes);
        Ok(())
    }

    fn open(&mut self, partition: u64) -> io::Result<Box<dyn io::Read>> {
        Ok(Box::new(io::Cursor::new(self.0.remove(&partition).unwrap_or_default())))
    }

    fn discard(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }
}

/// Edges that pass by once, with four bytes of memory an edge, so that most are spilled.
pub(crate) fn stream(population: &Population, threads: NonZeroUsize, times: u64) {
    let count = population.edge_count();
    measure("bulk_stream_spilled_to_memory", count, times.min(3), || {
        let mut spill = InMemory::default();
        let mut stream = EdgeStream::new(4 * count, &mut spill);
        let mut chunk = Vec::with_capacity(1 << 16);
        for edge in population.edges() {
            chunk.push(edge);
            if chunk.len() == chunk.capacity() {
                stream.push(&chunk).unwrap();
                chunk.clear();
            }
        }
        stream.push(&chunk).unwrap();
        stream.finish(threads, &CountOnly).unwrap().mutual_pairs
    });
}

/// Books of ids, one after the other.
pub(crate) struct FlatBooks {
    starts: Vec<usize>,
    ids: Vec<u32>,
}

impl IdBooks for FlatBooks {
    fn owners(&self) -> u32 {
        (self.starts.len() - 1) as u32
    }

    fn book(&self, owner: u32) -> &[u32] {
        &self.ids[self.starts[owner as usize]..self.starts[owner as usize + 1]]
    }
}

impl FlatBooks {
    /// Ids are shuffled, so that communities do not lie together.
    pub(crate) fn shuffled(population: &Population) -> Self {
        let people = population.books.len();
        let mut id_of: Vec<u32> = (0..people as u32).collect();
        let mut random = Random(7);
        for last in (1..people).rev() {
            id_of.swap(last, random.below(last as u64 + 1) as usize);
        }
        let mut person_of = vec![0; people];
        for (person, &id) in id_of.iter().enumerate() {
            person_of[id as usize] = person;
        }
        let mut books = Self { starts: vec![0], ids: Vec::with_capacity(population.edge_count()) };
        for &person in &person_of {
            let start = books.ids.len();
            let id = |one: &u32| id_of.get(*one as usize).copied().unwrap_or(*one);
            books.ids.extend(population.books[person].iter().map(id));
            books.ids[start..].sort_unstable();
            books.starts.push(books.ids.len());
        }
        books
    }
}

/// Books of 32-bit ids.
pub(crate) fn ids_at_rest(population: &Population, threads: NonZeroUsize, times: u64) {
    if wanted("bulk_ids") {
        let books = FlatBooks::shuffled(population);
        let pairs = || match_id_books(&books, threads, &CountOnly).mutual_pairs;
        measure("bulk_ids", books.ids.len(), times, pairs);
    }
}
