//! `cargo xtask bench orders`: complete orders a second through the real binary, and how long a tap takes at half
//! that load.

mod page;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::report::Moment;
use crate::house;
use crate::run::{self, Failed};

const USAGE: &str = "usage: cargo xtask bench orders [--rounds 3] [--people 1000]";

/// One kind of order: its word, what it is, and how many a second are wanted.
pub(super) struct Kind {
    pub(super) word: &'static str,
    pub(super) what: &'static str,
    pub(super) wanted: f64,
}

pub(super) const KINDS: [Kind; 2] = [
    Kind { word: "own", what: "the operator's own service, started at once", wanted: 2_000.0 },
    Kind { word: "confirmed", what: "a provider's service, confirmed by text", wanted: 1_000.0 },
];

/// What was measured of one kind.
pub(super) struct Figure {
    /// Complete orders a second, each round.
    pub(super) rates: Vec<f64>,
    /// At half the wanted load, each round: the median, the 99th in a hundred and the longest answer to a tap, in
    /// milliseconds.
    pub(super) taps: Vec<[f64; 3]>,
}

/// Measures, and writes the page.
pub(super) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let (rounds, people) = read(arguments).ok_or_else(|| Failed::new(USAGE))?;
    let moment = Moment::now(root);
    let programs = build(root)?;
    let mut figures = KINDS.map(|_| Figure { rates: Vec::new(), taps: Vec::new() });
    for _ in 0..rounds {
        for (kind, figure) in KINDS.iter().zip(&mut figures) {
            let said = measure(&programs, kind.word, people, None)?;
            let rate = number(&said, "orders_per_second")?;
            let said = measure(&programs, kind.word, people, Some(kind.wanted / 2.0))?;
            let taps = [number(&said, "p50_ms")?, number(&said, "p99_ms")?, number(&said, "max_ms")?];
            println!("{}: {rate:.0} a second; at half load p99 {:.1} ms", kind.word, taps[1]);
            figure.rates.push(rate);
            figure.taps.push(taps);
        }
    }
    page::write(root, &figures, (rounds, people), &moment)
}

fn read(arguments: &[&str]) -> Option<(u64, u64)> {
    let (mut rounds, mut people) = (3, 1_000);
    for pair in arguments.chunks(2) {
        match pair {
            ["--rounds", count] => rounds = count.parse().ok().filter(|count| *count > 0)?,
            ["--people", count] => people = count.parse().ok().filter(|count| (1..=5_000).contains(count))?,
            _ => return None,
        }
    }
    Some((rounds, people))
}

/// Builds the servers, and the program that holds the centre, the phones and the terminals.
fn build(root: &Path) -> Result<[PathBuf; 2], Failed> {
    run::cargo(
        root,
        &["build", "--release", "--package", "hutong", "--bin", "hutong", "--example", "orders"],
    )
    .run()?;
    let place = house::target(root).join("release");
    Ok([place.join("examples").join("orders"), place.join("hutong")])
}

fn measure(
    [orders, hutong]: &[PathBuf; 2],
    kind: &str,
    people: u64,
    rate: Option<f64>,
) -> Result<Value, Failed> {
    let (hutong, people) = (hutong.to_string_lossy(), people.to_string());
    let rate = rate.map(|rate| format!("{rate:.0}"));
    let mut arguments = vec![hutong.as_ref(), kind, &people];
    arguments.extend(rate.as_deref());
    let said = run::program(orders, &arguments).read()?;
    serde_json::from_str(said.trim())
        .map_err(|_| Failed::new(format!("{kind}: the measurement says nothing")))
}

fn number(said: &Value, name: &str) -> Result<f64, Failed> {
    said[name].as_f64().ok_or_else(|| Failed::new(format!("the measurement says no {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_words_that_mean_nothing_refused() {
        assert_eq!(read(&[]), Some((3, 1_000)));
        assert_eq!(read(&["--people", "10", "--rounds", "1"]), Some((1, 10)));
        for wrong in [&["--rounds"][..], &["--rounds", "0"], &["--people", "9999"], &["--fast", "1"]] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
