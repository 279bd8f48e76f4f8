//! Measurements: each runs ours and others' on the same data in the same run, and writes a page of docs/benchmarks.

mod matching;
mod numbers;
mod orders;
mod report;
mod sms;
mod store;

use std::path::Path;

use crate::run::Failed;

/// A measurement: its word, what it does, and how it is run with the words that follow.
pub(crate) struct Bench {
    pub(crate) word: &'static str,
    pub(crate) what: &'static str,
    pub(crate) run: fn(&Path, &[&str]) -> Result<(), Failed>,
}

/// All measurements.
pub(crate) const BENCHES: &[Bench] = &[
    Bench {
        word: "sms",
        what: "the SMS session layer beside smpp34, rusmppc and npm's smpp, and the durable outbox [--rounds 5] [--texts 20000]",
        run: sms::run,
    },
    Bench {
        word: "matching",
        what: "matching beside DuckDB, Polars, PostgreSQL and SQLite [--only bulk,uploads,reads,flat] [--large] [--edges 18,90,180] [--rounds 3]",
        run: matching::run,
    },
    Bench {
        word: "numbers",
        what: "reading number fields beside the library alone and its reference port in Python",
        run: numbers::run,
    },
    Bench {
        word: "orders",
        what: "complete orders a second through the real binary, and the tap at half that load [--rounds 3] [--people 1000]",
        run: orders::run,
    },
    Bench {
        word: "store",
        what: "the store on PostgreSQL beside a row per edge [--subscribers 100000] [--clients 8] [--seconds 10] [--rounds 3]",
        run: store::run,
    },
];

/// Runs one by its word; `None` when there is none of that word.
pub(crate) fn run(root: &Path, word: &str, arguments: &[&str]) -> Option<Result<(), Failed>> {
    BENCHES.iter().find(|bench| bench.word == word).map(|bench| (bench.run)(root, arguments))
}
