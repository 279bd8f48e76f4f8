//! Everybody at once: ours, DuckDB and Polars on the same generated edges, taking turns.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Map, Value, json};

use super::Options;
use super::child::{Child, Run};
use super::place::Place;
use crate::run::Failed;

/// Who takes part: what is asked of whom.
pub(super) const OURS_RAW: &str = "raw";
pub(super) const OURS_IDS: &str = "ids";
pub(super) const LIMIT: &str = "read";
pub(super) const DUCKDB: &str = "duckdb";
pub(super) const POLARS: &str = "polars";

/// Ours stand on both sides of a peer, so that neither has the quieter machine.
const TURNS: &[&str] = &[OURS_RAW, DUCKDB, OURS_IDS, OURS_RAW, POLARS, OURS_IDS, LIMIT];

/// One number of edges, as it was kept.
pub(super) struct Size<'a>(pub(super) &'a Value);

impl Size<'_> {
    pub(super) fn count(&self, what: &str) -> u64 {
        self.0[what].as_u64().unwrap_or(0)
    }

    pub(super) fn edges(&self) -> u64 {
        self.count("edges")
    }

    /// The median of someone's seconds.
    pub(super) fn seconds(&self, who: &str) -> f64 {
        self.0["of"][who]["seconds"].as_f64().unwrap_or(f64::NAN)
    }

    /// The most memory that a run of someone took beyond the input, in bytes an edge.
    pub(super) fn bytes_an_edge(&self, who: &str) -> f64 {
        self.0["of"][who]["bytes"].as_f64().unwrap_or(f64::NAN) / self.edges() as f64
    }

    /// How many times as fast as a peer one of ours is.
    pub(super) fn ratio(&self, peer: &str, ours: &str) -> f64 {
        self.seconds(peer) / self.seconds(ours)
    }
}

/// What an edge takes at the least while ours and the peers hold it side by side.
const BYTES_WITH_PEERS: u64 = 100;

/// This machine's memory; where it does not tell, enough.
fn memory_bytes() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map_or(u64::MAX, |kib| kib << 10)
}

/// Measures all sizes.
pub(super) fn measure(place: &Place, options: &Options) -> Result<Vec<Value>, Failed> {
    let python = place.make_python()?;
    let sizes = options.millions.iter();
    sizes.map(|millions| measure_size(place, &python, millions * 1_000_000, options)).collect()
}

fn measure_size(
    place: &Place,
    python: &std::path::Path,
    edges: u64,
    Options { rounds, threads, .. }: &Options,
) -> Result<Value, Failed> {
    let (count, workers) = (edges.to_string(), threads.to_string());
    let (dump, program) = (place.file("edges.bin"), place.file("peers.py"));
    let (dump, program) = (dump.to_string_lossy(), program.to_string_lossy());
    println!("{edges} edges: generating");
    let mut arguments = vec!["--edges", &count, "--threads", &workers, "--serve", "yes"];
    let with_peers = edges.saturating_mul(BYTES_WITH_PEERS) <= memory_bytes();
    if with_peers {
        arguments.extend(["--dump", &dump]);
    }
    let (mut ours, ready) = Child::start(&place.matching, &arguments)?;
    let mut peers = if with_peers {
        println!("{edges} edges: loading, and finding out how the peers are best asked");
        Some(Child::start(python, &[&program, &dump, &workers])?)
    } else {
        println!("{edges} edges: the peers do not fit this machine's memory beside them");
        None
    };
    // They have read it.
    let _ = fs::remove_file(&*dump);
    let mut runs: Vec<(&str, Vec<Run>)> =
        [OURS_RAW, OURS_IDS, LIMIT, DUCKDB, POLARS].map(|who| (who, Vec::new())).into();
    for round in 1..=*rounds {
        println!("{edges} edges: round {round} of {rounds}");
        for who in TURNS {
            let child = match &mut peers {
                Some((peers, ready)) if ready["versions"][*who].is_string() => peers,
                _ if [DUCKDB, POLARS].contains(who) => continue,
                _ => &mut ours,
            };
            let run = child.run(who)?;
            runs.iter_mut().filter(|(name, _)| name == who).for_each(|(_, runs)| runs.push(run));
        }
    }
    let counts = runs.iter().filter(|(who, _)| *who != LIMIT).flat_map(|(_, runs)| runs).map(|run| run.pairs);
    let counts: BTreeSet<u64> = counts.collect();
    let [pairs] = counts.iter().copied().collect::<Vec<_>>()[..] else {
        return Err(Failed::new(format!("the counts of mutual pairs differ: {counts:?}")));
    };
    let of: Map<String, Value> =
        runs.into_iter().map(|(who, runs)| (who.to_owned(), summary(runs))).collect();
    let size = json!({
        "edges": ready["edges"], "subscribers": ready["subscribers"], "pairs": pairs, "rounds": rounds,
        "of": of, "versions": peers.map(|(_, ready)| ready["versions"].clone()),
    });
    let told = Size(&size);
    let [raw, ids, duckdb, polars] = [OURS_RAW, OURS_IDS, DUCKDB, POLARS].map(|who| told.seconds(who));
    println!("{edges} edges: ours {raw:.3} s, ids {ids:.3} s, DuckDB {duckdb:.3} s, Polars {polars:.3} s");
    Ok(size)
}

/// The median of the seconds and the most of the bytes.
fn summary(mut runs: Vec<Run>) -> Value {
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let bytes = runs.iter().map(|run| run.bytes).max();
    json!({ "seconds": runs.get(runs.len() / 2).map(|run| run.seconds), "bytes": bytes })
}
