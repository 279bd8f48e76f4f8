//! Runs one bulk match at a time when told to, so that another program can interleave them with its own.

use crate::bulk::{FlatBooks, peak_of};
use crate::population::Population;
use matching::bulk::{CountOnly, Edge, match_edges, match_id_books};
use std::io::BufRead;
use std::num::NonZeroUsize;
use std::time::Instant;

/// Answers each line of stdin with a line: `raw` matches edges of keys, `ids` books of ids, `read` reads every edge.
pub(crate) fn serve(population: Population, threads: NonZeroUsize) {
    let (people, count) = (population.books.len(), population.edge_count());
    let edges: Vec<Edge> = population.edges().collect();
    let books = FlatBooks::shuffled(&population);
    drop(population);
    println!("{{\"what\":\"ready\",\"subscribers\":{people},\"edges\":{count}}}");
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let mut seconds = 0.0;
        let (pairs, bytes) = peak_of(|| {
            let start = Instant::now();
            let pairs = match line.as_str() {
                "raw" => match_edges(edges.as_slice(), threads, &CountOnly).mutual_pairs,
                "ids" => match_id_books(&books, threads, &CountOnly).mutual_pairs,
                _ => std::hint::black_box(crate::bulk::read_all(&edges, threads)) & 1,
            };
            seconds = start.elapsed().as_secs_f64();
            pairs
        });
        println!("{{\"seconds\":{seconds:.5},\"pairs\":{pairs},\"bytes\":{bytes}}}");
    }
}
