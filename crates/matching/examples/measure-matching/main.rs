//! Measures matching on generated books and prints one JSON line a figure.
//!
//! `cargo run --release -p matching --example measure-matching -- --edges 18000000 --threads 2`
//!
//! Also `--seed` (1), `--times` (5: runs of a bulk match, of which the median and the least are told)
//! `--only` (a word that the figures' names must hold), `--dump FILE` (writes the edges for other tools, two
//! little-endian 64-bit keys each) and `--serve yes` (runs a match a line of stdin); with one of these it measures
//! nothing else. Books are log-normal (median 120, mean 180, at most
//! 2,000 contacts); 45 % of contacts are registered, 47 % of the edges between registered people are mutual, and
//! four contacts in five are of one's own community of 1,000. Everything follows from the seed.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program that prints figures")]

mod bulk;
mod one;
mod population;
mod serve;

use population::Population;
use std::num::NonZeroUsize;

/// The value behind an option's name.
fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|word| word != name).nth(1)
}

fn number(name: &str, default: u64) -> u64 {
    argument(name).map_or(default, |value| value.parse().unwrap())
}

/// Tells whether a figure is wanted.
fn wanted(what: &str) -> bool {
    argument("--only").is_none_or(|word| what.contains(&word))
}

/// Resident memory now (`VmRSS`) or at its peak (`VmHWM`), in bytes; 0 where the system does not tell.
fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn main() {
    let threads = NonZeroUsize::new(number("--threads", 2) as usize).unwrap();
    let times = number("--times", 5);
    let population = Population::generate(number("--edges", 18_000_000), number("--seed", 1));
    let (people, edges) = (population.books.len(), population.edge_count());
    println!("{{\"what\":\"population\",\"subscribers\":{people},\"edges\":{edges},\"threads\":{threads}}}");
    if let Some(path) = argument("--dump") {
        population.dump(&path).unwrap();
    }
    if argument("--serve").is_some() {
        return serve::serve(population, threads);
    }
    if argument("--dump").is_some() {
        return;
    }
    bulk::raw_edges(&population, threads, times);
    bulk::stream(&population, threads, times);
    bulk::ids_at_rest(&population, threads, times);
    one::books_and_uploads(&population, threads);
}
