//! Edge lists from files, of whatever kind their content is.

mod faults;
mod parquet;
mod row;
mod text;

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::bufread::MultiGzDecoder;
use matching::bulk::Edge;

use self::faults::{Fault, Faults};
use super::edges::Edges;
use super::progress::{Counted, Progress};
use crate::failure::Failure;

/// Packed bytes read at once.
const PACKED_BYTES: usize = 1 << 17;

/// The beginning of a gzip file (RFC 1952, 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The beginning of a Parquet file, and its end.
const PARQUET: &[u8] = b"PAR1";

/// How long each file is, in bytes; 0 for what is no ordinary file.
///
/// # Errors
/// A [`Failure`] for a file that cannot be read.
pub(in crate::commands) fn lengths(files: &[PathBuf]) -> Result<Vec<u64>, Failure> {
    let length = |file: &PathBuf| {
        let there = fs::metadata(file).map_err(|error| unopened(file, &error))?;
        Ok(if there.is_file() { there.len() } else { 0 })
    };
    files.iter().map(length).collect()
}

/// Reads all files into `edges`, on so many threads; says on stderr what was skipped.
///
/// # Errors
/// A [`Failure`] that names the file and the place where reading ended: it cannot be read, is empty, cut short,
/// became shorter or, when `strict`, has a malformed row; or that of keeping the edges.
pub(in crate::commands) fn read_all(
    files: &[PathBuf],
    lengths: &[u64],
    strict: bool,
    threads: NonZeroUsize,
    edges: &Edges,
    progress: &Progress,
) -> Result<(), Failure> {
    let faults = Faults::new(strict, progress);
    for (file, &length) in files.iter().zip(lengths) {
        let reading = Reading { faults: &faults, edges, threads, stop: AtomicBool::new(false) };
        let (row, outcome) = read_file(file, length, &reading, progress);
        // What was found before comes first, also before an error.
        faults.end_file(file, row)?;
        outcome?;
    }
    faults.end();
    Ok(())
}

/// Reads one file; tells what its rows are called, too.
fn read_file(
    file: &Path,
    length: u64,
    reading: &Reading,
    progress: &Progress,
) -> (&'static str, Result<(), Failure>) {
    match open(file, length, progress) {
        Ok(Opened::Text(input)) => (faults::LINE, text::read(input, reading)),
        Ok(Opened::Parquet(opened)) => (faults::ROW, parquet::read(file, opened, progress, reading)),
        Err(failure) => (faults::LINE, Err(failure)),
    }
}

enum Opened<'a> {
    Text(text::Input<'a>),
    Parquet(File),
}

/// Opens a file and looks at what is in it; its name tells nothing.
fn open<'a>(file: &'a Path, length: u64, progress: &Progress) -> Result<Opened<'a>, Failure> {
    let opened = File::open(file).map_err(|error| unopened(file, &error))?;
    let there = opened.metadata().map_err(|error| unopened(file, &error))?;
    if there.is_file() && there.len() < length {
        let error =
            io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter before it was read");
        return Err(text::unread(file, false, (0, 0), &error));
    }
    let again = opened.try_clone().map_err(|error| unopened(file, &error))?;
    let (head, bytes) =
        text::peek(Counted::new(opened, progress), PARQUET.len()).map_err(|error| unopened(file, &error))?;
    if head.starts_with(PARQUET) {
        return Ok(Opened::Parquet(again));
    }
    if !head.starts_with(GZIP) {
        let length = there.len();
        return Ok(Opened::Text(text::Input { file, bytes: Box::new(bytes), packed: false, length }));
    }
    let unpacked = MultiGzDecoder::new(BufReader::with_capacity(PACKED_BYTES, bytes));
    let (head, bytes) =
        text::peek(unpacked, PARQUET.len()).map_err(|error| text::unread(file, true, (0, 0), &error))?;
    if head.starts_with(PARQUET) {
        return Err(Failure::user(format!("{} is a Parquet file packed once more", file.display()))
            .hint("Unpack it with `gunzip`; a Parquet file is read from its end."));
    }
    Ok(Opened::Text(text::Input { file, bytes: Box::new(bytes), packed: true, length: 0 }))
}

fn unopened(file: &Path, error: &io::Error) -> Failure {
    Failure::user(format!("{} cannot be read", file.display())).because(error)
}

/// Why a thread stops.
enum Broken {
    /// The file.
    Input(Failure),
    /// Whoever takes the edges.
    Edges(io::Error),
}

/// What the threads that read one file share.
struct Reading<'a, 'b> {
    faults: &'a Faults<'a>,
    edges: &'a Edges<'b>,
    threads: NonZeroUsize,
    stop: AtomicBool,
}

impl Reading<'_, '_> {
    /// Runs the same work on all threads, this one included.
    fn share(&self, work: impl Fn() -> Result<(), Broken> + Sync) -> Result<(), Failure> {
        let run = || {
            let outcome = work();
            if outcome.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            outcome
        };
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads.get()).map(|_| scope.spawn(run)).collect();
            let mut outcomes = vec![run()];
            for other in others {
                outcomes.push(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            outcomes
        });
        outcomes.into_iter().collect::<Result<(), Broken>>().map_err(|broken| match broken {
            Broken::Input(failure) => failure,
            Broken::Edges(error) => super::spilled(&error),
        })
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Notes a malformed row. Where the first one ends it all no new part of the file is begun; those before
    /// have been, so that the first of all is found whichever thread comes upon one.
    fn note(&self, place: u64, fault: Fault) {
        if !self.faults.note(place, fault) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn keep(&self, edges: Vec<Edge>) -> Result<(), Broken> {
        self.edges.take(edges).map_err(Broken::Edges)
    }
}
