//! Measures matching on generated books and prints one JSON line a figure.
//!
//! `cargo run --release -p matching --example measure -- --edges 18000000 --threads 2`
//!
//! Books are log-normal (median 120, mean 180, at most 2,000 contacts); 45 % of contacts are registered, 47 % of
//! the edges between registered people are mutual, and four contacts in five are of one's own community of
//! 1,000. Everything follows from `--seed`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program that prints figures")]

mod population;

use matching::bulk::{CountOnly, Edge, match_edges};
use population::Population;
use std::num::NonZeroUsize;
use std::time::Instant;

fn argument(name: &str, default: u64) -> u64 {
    let mut words = std::env::args().skip_while(|word| word != name);
    words.nth(1).map_or(default, |value| value.parse().unwrap())
}

/// Runs once for warmth and so many times for the clock; gives seconds, the median and the least.
fn clock<R>(times: u64, mut run: impl FnMut() -> R) -> (f64, f64) {
    let mut seconds: Vec<f64> = (0..times.max(1))
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(run());
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    (seconds[seconds.len() / 2], seconds[0])
}

/// Resident memory now and at its peak since the last reset, in bytes; 0 where the system does not tell.
fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn reset_peak() {
    // Writing 5 resets the peak; where that is not allowed the figure is too high, never too low.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn bulk(what: &str, edges: u64, times: u64, mut run: impl FnMut() -> u64) {
    reset_peak();
    let before = memory("VmRSS");
    let pairs = run();
    let extra = memory("VmHWM").saturating_sub(before) as f64 / edges as f64;
    let (median, least) = clock(times, run);
    println!(
        "{{\"what\":\"{what}\",\"edges\":{edges},\"mutual_pairs\":{pairs},\"seconds\":{median:.4},\"seconds_least\":{least:.4},\
         \"edges_a_second\":{:.0},\"bytes_an_edge_extra\":{extra:.2}}}",
        edges as f64 / median
    );
}

fn main() {
    let (edges, threads) = (argument("--edges", 18_000_000), argument("--threads", 2) as usize);
    let (seed, times) = (argument("--seed", 1), argument("--times", 5));
    let threads = NonZeroUsize::new(threads).unwrap();
    let population = Population::generate(edges, seed);
    let raw: Vec<Edge> = population.edges();
    println!(
        "{{\"what\":\"population\",\"subscribers\":{},\"edges\":{}}}",
        population.books.len(),
        raw.len()
    );
    bulk("read", raw.len() as u64, times, || {
        std::thread::scope(|scope| {
            let parts = raw.chunks(raw.len().div_ceil(threads.get()));
            let sums: Vec<_> = parts
                .map(|part| scope.spawn(|| part.iter().fold(0, |sum, edge| sum ^ edge.owner ^ edge.contact)))
                .collect();
            sums.into_iter().fold(0, |sum, part| sum ^ part.join().unwrap())
        })
    });
    bulk("raw", raw.len() as u64, times, || match_edges(raw.as_slice(), threads, &CountOnly).mutual_pairs);
}
