//! `hutong match`: bulk matching of directed edge lists, without a server.

mod output;
mod read;
mod row;

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use matching::bulk::{CountOnly, Edge, Summary, match_edges};

use self::output::Output;
use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Edge lists, an owner and a contact a line, parted by a space, a tab or a comma; plain or gzip.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where the pairs go, as CSV: both numbers of a pair a line, the smaller one first, sorted.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Prints what was counted as JSON.
    #[arg(long)]
    json: bool,
    /// Stops at the first malformed row instead of skipping it.
    #[arg(long)]
    strict: bool,
    /// How many threads match; as many as there are processors when it is left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// What was counted, and how long it all took.
#[derive(serde::Serialize)]
struct Counted {
    edges: u64,
    owners: u64,
    mutual_pairs: u64,
    seconds: f64,
}

/// Reads all files, matches, writes the pairs and prints what was counted.
///
/// # Errors
/// A [`Failure`] that names the file and the place in it; the output then is as it was before.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let began = Instant::now();
    // First of all, so that hours of matching are not lost to a name that cannot be written.
    let output = args.output.as_deref().map(Output::create).transpose()?;
    let edges = read::read_all(&args.files, args.strict)?;
    let threads = threads(args.threads);
    let summary = match output {
        Some(output) => {
            let (summary, pairs) = gather(&edges, threads);
            output.write(&pairs)?;
            summary
        }
        None => match_edges(edges.as_slice(), threads, &CountOnly),
    };
    tell(summary, began.elapsed().as_secs_f64(), args.json)
}

fn threads(wanted: Option<u16>) -> NonZeroUsize {
    let wanted = wanted.and_then(|threads| NonZeroUsize::new(threads.into()));
    wanted.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// Matches and keeps the pairs, sorted.
fn gather(edges: &[Vec<Edge>], threads: NonZeroUsize) -> (Summary, Vec<(u64, u64)>) {
    let found = Mutex::new(Vec::new());
    let sink = |pairs: &[(u64, u64)]| {
        // A thread that panics while it holds the lock ends the whole process.
        found.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(pairs);
    };
    let summary = match_edges(edges, threads, &sink);
    let mut pairs = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    pairs.sort_unstable();
    (summary, pairs)
}

fn tell(summary: Summary, seconds: f64, json: bool) -> Result<(), Failure> {
    let Summary { edges, owners, mutual_pairs } = summary;
    let mut text = if json {
        serde_json::to_string(&Counted { edges, owners, mutual_pairs, seconds })
            .map_err(|error| Failure::stdout(&error.into()))?
    } else {
        format!("{edges} edges of {owners} owners: {mutual_pairs} mutual pairs, in {seconds:.3} s")
    };
    text.push('\n');
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))
}
