//! `cargo xtask bench store`: our store on PostgreSQL beside a row per edge on the same server, in turns.

mod page;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::house;
use crate::postgres::Cluster;
use crate::run::{self, Failed};

const USAGE: &str =
    "usage: cargo xtask bench store [--subscribers 100000] [--clients 8] [--seconds 10] [--rounds 3]";

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) subscribers: u64,
    pub(super) clients: u64,
    pub(super) seconds: u64,
    pub(super) rounds: u64,
}

/// Measures, and writes the page.
pub(super) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let extent = read(arguments).ok_or_else(|| Failed::new(USAGE))?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    run::cargo(root, &["build", "--release", "--package", "store", "--example", "measure-store"]).run()?;
    let measure = house::target(root).join("release").join("examples").join("measure-store");
    let server = Cluster::start_durable()?;
    let said = run::program(
        &measure,
        &[
            "beside",
            "--url",
            &server.url(),
            "--subscribers",
            &extent.subscribers.to_string(),
            "--clients",
            &extent.clients.to_string(),
            "--seconds",
            &extent.seconds.to_string(),
            "--rounds",
            &extent.rounds.to_string(),
        ],
    )
    .read()?;
    println!("{said}");
    let figures: Vec<Value> = said
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .map_err(|_| Failed::new("the measurement says what is no figure"))?;
    page::write(root, &figures, extent, load.split_whitespace().next().unwrap_or("unknown"))
}

fn read(arguments: &[&str]) -> Option<Extent> {
    let mut extent = Extent { subscribers: 100_000, clients: 8, seconds: 10, rounds: 3 };
    for pair in arguments.chunks(2) {
        let [name, count] = pair else { return None };
        let count = count.parse().ok().filter(|count| *count > 0)?;
        match *name {
            "--subscribers" => extent.subscribers = Some(count).filter(|count| *count >= 1_000)?,
            "--clients" => extent.clients = Some(count).filter(|count| *count <= 64)?,
            "--seconds" => extent.seconds = count,
            "--rounds" => extent.rounds = count,
            _ => return None,
        }
    }
    Some(extent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_words_that_mean_nothing_refused() {
        let usual = Extent { subscribers: 100_000, clients: 8, seconds: 10, rounds: 3 };
        assert_eq!(read(&[]), Some(usual));
        let few = Extent { subscribers: 5_000, rounds: 1, ..usual };
        assert_eq!(read(&["--subscribers", "5000", "--rounds", "1"]), Some(few));
        for wrong in [&["--rounds"][..], &["--rounds", "0"], &["--clients", "999"], &["--fast", "1"]] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
