//! Measures uploads and reads at the store, and beside it the table that everyone tries first: a row per edge.
//!
//! `cargo run --release -p store --example measure-store -- ours --subscribers 10000 --clients 64 --seconds 5`
//!
//! The first word is `ours` (the embedded store), `sqlite`, `postgres` (with `--url`, an empty database) or `beside` (our
//! store on PostgreSQL and a row per edge on the same server, in turns; with `--url`, a server). All bring up
//! the same people, each with a book of 200 contacts, then upload books of which five contacts are others, each upload
//! durable. One JSON line a figure; latencies in milliseconds.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program that prints figures")]

mod beside;
mod load;
mod ours;
mod people;
mod rows;

use std::time::Duration;

use people::People;

/// The value behind an option's name.
fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|word| word != name).nth(1)
}

fn number(name: &str, default: u64) -> u64 {
    argument(name).map_or(default, |value| value.parse().unwrap())
}

#[tokio::main]
async fn main() {
    let what = std::env::args().nth(1).unwrap_or_default();
    let people = People::new(number("--subscribers", 10_000));
    let (clients, time) = (number("--clients", 64) as usize, Duration::from_secs(number("--seconds", 5)));
    match what.as_str() {
        "ours" => ours::measure(people, clients, time).await,
        "sqlite" => rows::sqlite::measure(people, time),
        "postgres" => rows::postgres::measure(people, &argument("--url").unwrap(), clients, time).await,
        "beside" => {
            let (url, rounds) = (argument("--url").unwrap(), number("--rounds", 3));
            beside::measure(people, &url, clients, time, rounds).await;
        }
        _ => println!(
            "usage: measure ours|sqlite|postgres|beside [--subscribers N] [--clients N] [--seconds N]"
        ),
    }
}
