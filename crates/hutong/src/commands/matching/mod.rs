//! `hutong match`: bulk matching of directed edge lists, without a server.

pub(in crate::commands) mod edges;
pub(in crate::commands) mod input;
mod memory;
mod output;
mod pairs;
pub(in crate::commands) mod progress;
mod temporary;

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use matching::bulk::{CountOnly, EdgeStream, Summary};

use self::edges::Edges;
use self::output::Output;
use self::pairs::Pairs;
use self::progress::Progress;
use self::temporary::{Partitions, TemporaryFile};
use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Edge lists: text, plain or gzip, with an owner and a contact a line, parted by a space, a tab or a comma; or
    /// Parquet, with columns `owner` and `contact`, or whatever its first two are called.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where the pairs go, the smaller number first, sorted: CSV, or Parquet where the name ends in .parquet.
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
    /// How much memory to use, about, such as 512M or 4G; what is more goes to a temporary file. Without it
    /// everything is held in memory.
    #[arg(long, value_name = "SIZE", value_parser = memory::parse)]
    memory: Option<usize>,
    /// Where temporary files go; beside the output when it is left out.
    #[arg(long, value_name = "DIRECTORY", requires = "memory")]
    temp: Option<PathBuf>,
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
    let lengths = input::lengths(&args.files)?;
    let progress = Progress::begin(lengths.iter().sum());
    let outcome = match_all(args, &lengths, output, &progress);
    progress.end();
    tell(outcome?, began.elapsed().as_secs_f64(), args.json)
}

fn match_all(
    args: &Args,
    lengths: &[u64],
    output: Option<Output>,
    progress: &Progress,
) -> Result<Summary, Failure> {
    let threads = threads(args.threads);
    let temporary = || {
        TemporaryFile::create(&temporary_directory(args, output.as_ref())).map_err(|error| spilled(&error))
    };
    // Where pairs are kept they take part of the memory; there are far fewer of them than edges.
    let of_pairs = |memory: usize| if args.output.is_some() { memory / 4 } else { 0 };
    let mut partitions = args.memory.map(|_| temporary().map(Partitions::new)).transpose()?;
    let edges = match (args.memory, &mut partitions) {
        (Some(memory), Some(partitions)) => {
            Edges::spilled(EdgeStream::new(memory - of_pairs(memory), partitions))
        }
        _ => Edges::whole(),
    };
    input::read_all(&args.files, lengths, args.strict, threads, &edges, progress)?;
    progress.turn_to("matching");
    let pairs = match args.memory {
        Some(memory) => Pairs::on_disk(of_pairs(memory), temporary()?),
        None => Pairs::in_memory(),
    };
    let Some(output) = output else {
        return edges.matched(threads, &CountOnly).map_err(|error| spilled(&error));
    };
    let summary = edges.matched(threads, &pairs).map_err(|error| spilled(&error))?;
    progress.turn_to("writing");
    let sorted = pairs.sorted().map_err(|error| spilled(&error))?;
    output.write(sorted)?;
    Ok(summary)
}

fn temporary_directory(args: &Args, output: Option<&Output>) -> PathBuf {
    let beside = || output.map(|output| output.directory().to_owned());
    args.temp.clone().or_else(beside).unwrap_or_else(std::env::temp_dir)
}

fn spilled(error: &io::Error) -> Failure {
    Failure::user("what does not fit in memory cannot be kept on disk")
        .because(error)
        .hint("Name a directory with more room by --temp, or allow more memory by --memory.")
}

fn threads(wanted: Option<u16>) -> NonZeroUsize {
    let wanted = wanted.and_then(|threads| NonZeroUsize::new(threads.into()));
    wanted.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
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
    io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))
}
