//! `cargo xtask bench matching`: ours, DuckDB and Polars on the same generated edges, taking turns.

mod child;
mod page;
mod plot;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use self::child::{Child, Run};
use crate::run::{self, Failed};

/// The versions that the figures of docs/benchmarks are of.
const PEERS: &[&str] = &["duckdb==2.0.0", "polars==2.1.0", "numpy==2.4.6"];

const PEERS_PROGRAM: &str = include_str!("peers.py");

/// Who takes part: what is asked of whom, and what the page calls it.
const OURS_RAW: &str = "raw";
const OURS_IDS: &str = "ids";
const LIMIT: &str = "read";
const DUCKDB: &str = "duckdb";
const POLARS: &str = "polars";

/// One number of edges.
struct Size {
    edges: u64,
    subscribers: u64,
    pairs: u64,
    /// All rounds of each who took part.
    runs: Vec<(&'static str, Vec<Run>)>,
}

impl Size {
    /// The median of someone's seconds.
    fn seconds(&self, who: &str) -> f64 {
        let runs = self.runs.iter().find(|(name, _)| *name == who);
        let mut seconds: Vec<f64> = runs.iter().flat_map(|(_, runs)| runs).map(|run| run.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The most memory that a run of someone took beyond the input, in bytes an edge.
    fn bytes_an_edge(&self, who: &str) -> f64 {
        let runs = self.runs.iter().find(|(name, _)| *name == who);
        runs.iter().flat_map(|(_, runs)| runs).map(|run| run.bytes).max().unwrap_or(0) as f64
            / self.edges as f64
    }
}

/// Everything measured.
struct Measured {
    sizes: Vec<Size>,
    versions: Value,
    /// One subscriber's figures, a JSON line each.
    one: Vec<Value>,
    rounds: usize,
    threads: usize,
    /// How many programs wanted to run beside this one when it began, on average of a minute.
    load: String,
}

/// Generates, measures, and writes the page and the plot.
pub(super) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let (millions, rounds) = options(arguments)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
    run::cargo(root, &["build", "--release", "--package", "matching", "--example", "measure"]).run()?;
    let place = Place::make(root)?;
    let mut measured =
        Measured { sizes: Vec::new(), versions: Value::Null, one: Vec::new(), rounds, threads, load };
    for &edges in &millions {
        let (size, versions) = measure(&place, edges * 1_000_000, rounds, threads)?;
        measured.sizes.push(size);
        measured.versions = versions;
    }
    let edges = (millions.iter().copied().min().unwrap_or(1) * 1_000_000).to_string();
    let one = run::program(&place.measure, &["--edges", &edges, "--only", "one_"]).read()?;
    measured.one = one.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    page::write(root, &measured)?;
    for size in &measured.sizes {
        println!(
            "{} edges: ours {:.3} s, ids {:.3} s, DuckDB {:.3} s, Polars {:.3} s",
            size.edges,
            size.seconds(OURS_RAW),
            size.seconds(OURS_IDS),
            size.seconds(DUCKDB),
            size.seconds(POLARS)
        );
    }
    Ok(())
}

/// Millions of edges, and rounds.
fn options(arguments: &[&str]) -> Result<(Vec<u64>, usize), Failed> {
    let usage = || Failed::new("usage: cargo xtask bench matching [--edges 18,90,180] [--rounds 5]");
    let (mut millions, mut rounds) = (vec![18, 90, 180], 5);
    for option in arguments.chunks(2) {
        match option {
            ["--edges", list] => {
                let sizes = list.split(',').map(|size| size.trim().parse().ok().filter(|&size| size > 0));
                millions = sizes.collect::<Option<_>>().ok_or_else(usage)?;
            }
            ["--rounds", count] => {
                rounds = count.parse().ok().filter(|&rounds| rounds > 0).ok_or_else(usage)?;
            }
            _ => return Err(usage()),
        }
    }
    Ok((millions, rounds))
}

/// Where the programs are.
struct Place {
    measure: PathBuf,
    python: PathBuf,
    peers: PathBuf,
    edges: PathBuf,
}

impl Place {
    /// Makes a virtual environment for the peers, if it is not there from before.
    fn make(root: &Path) -> Result<Self, Failed> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let directory = target.join("bench-matching");
        let environment = directory.join("python");
        let python = environment.join("bin").join("python");
        let failed =
            |error: std::io::Error| Failed::new(format!("the place for the peers cannot be made: {error}"));
        fs::create_dir_all(&directory).map_err(failed)?;
        if !python.exists() {
            run::program("python3", &["-m", "venv", &environment.to_string_lossy()]).run()?;
        }
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run::program(&python, &[&install[..], PEERS].concat()).run()?;
        let peers = directory.join("peers.py");
        fs::write(&peers, PEERS_PROGRAM).map_err(failed)?;
        let measure = target.join("release").join("examples").join("measure");
        Ok(Self { measure, python, peers, edges: directory.join("edges.bin") })
    }
}

fn measure(place: &Place, edges: u64, rounds: usize, threads: usize) -> Result<(Size, Value), Failed> {
    let (count, workers) = (edges.to_string(), threads.to_string());
    let dump = place.edges.to_string_lossy();
    println!("{edges} edges: generating");
    let arguments = ["--edges", &count, "--threads", &workers, "--serve", "yes", "--dump", &dump];
    let (mut ours, ready) = Child::start(&place.measure, &arguments)?;
    println!("{edges} edges: loading, and finding out how the peers are best asked");
    let (mut peers, peers_ready) =
        Child::start(&place.python, &[&place.peers.to_string_lossy(), &dump, &workers])?;
    // They have read it.
    let _ = fs::remove_file(&place.edges);
    let turns = [OURS_RAW, DUCKDB, OURS_IDS, OURS_RAW, POLARS, OURS_IDS, LIMIT];
    let mut runs: Vec<(&str, Vec<Run>)> =
        [OURS_RAW, OURS_IDS, LIMIT, DUCKDB, POLARS].map(|who| (who, Vec::new())).into();
    for round in 1..=rounds {
        println!("{edges} edges: round {round} of {rounds}");
        for who in turns {
            let child = if [DUCKDB, POLARS].contains(&who) { &mut peers } else { &mut ours };
            let run = child.run(who)?;
            runs.iter_mut().filter(|(name, _)| *name == who).for_each(|(_, runs)| runs.push(run));
        }
    }
    let counts = runs.iter().filter(|(who, _)| *who != LIMIT).flat_map(|(_, runs)| runs).map(|run| run.pairs);
    let counts: std::collections::BTreeSet<u64> = counts.collect();
    let [pairs] = counts.iter().copied().collect::<Vec<_>>()[..] else {
        return Err(Failed::new(format!("the counts of mutual pairs differ: {counts:?}")));
    };
    let number = |name: &str| ready[name].as_u64().unwrap_or(0);
    let size = Size { edges: number("edges"), subscribers: number("subscribers"), pairs, runs };
    Ok((size, peers_ready["versions"].clone()))
}
