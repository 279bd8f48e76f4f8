//! The pairs in order: sorted in memory, or, where they are too many, in runs on disk that are merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use matching::bulk::PairSink;

use super::temporary::{Ranges, TemporaryFile};

/// A pair: the smaller number, the greater one.
pub(super) type Pair = (u64, u64);

/// Bytes of a pair at rest: two little-endian numbers.
const PAIR_BYTES: usize = 16;

/// The least that is read at once of a run.
const READ_BYTES_MIN: usize = 4096;

/// Takes pairs from several threads at once and gives them back sorted.
#[derive(Debug)]
pub(super) struct Pairs(Mutex<Gathered>);

#[derive(Debug)]
struct Gathered {
    pairs: Vec<Pair>,
    disk: Option<Disk>,
    /// What went wrong first; the matcher cannot be told while it hands pairs over.
    failed: Option<io::Error>,
}

#[derive(Debug)]
struct Disk {
    pairs_max: usize,
    file: TemporaryFile,
    runs: Vec<Range<u64>>,
}

impl Pairs {
    /// All in memory.
    pub(super) fn in_memory() -> Self {
        Self(Mutex::new(Gathered { pairs: Vec::new(), disk: None, failed: None }))
    }

    /// In about so many bytes of memory, and the rest in a file.
    pub(super) fn on_disk(bytes: usize, file: TemporaryFile) -> Self {
        let disk = Disk { pairs_max: (bytes / PAIR_BYTES).max(1), file, runs: Vec::new() };
        Self(Mutex::new(Gathered { pairs: Vec::new(), disk: Some(disk), failed: None }))
    }

    /// Gives all pairs, sorted.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn sorted(self) -> io::Result<Sorted> {
        let mut gathered = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        gathered.pairs.sort_unstable();
        if let Some(error) = gathered.failed {
            return Err(error);
        }
        let whole = || Sorted { heap: BinaryHeap::new(), runs: Vec::new() };
        let mut sorted = whole();
        if let Some(disk) = gathered.disk {
            let bytes = (disk.pairs_max * PAIR_BYTES / disk.runs.len().max(1)).max(READ_BYTES_MIN);
            for run in disk.runs {
                sorted.add(Run::Written(BufReader::with_capacity(bytes, disk.file.read([run]))))?;
            }
        }
        sorted.add(Run::Gathered(gathered.pairs.into_iter()))?;
        Ok(sorted)
    }
}

impl PairSink<u64> for Pairs {
    fn accept(&self, pairs: &[Pair]) {
        // A thread that panics while it holds the lock ends the whole process.
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gathered.failed.is_none() {
            gathered.pairs.extend_from_slice(pairs);
            let written = gathered.write_full();
            gathered.failed = written.err();
        }
    }
}

impl Gathered {
    /// Writes a run where there are as many pairs as there may be.
    fn write_full(&mut self) -> io::Result<()> {
        let Some(disk) = self.disk.as_mut().filter(|disk| self.pairs.len() >= disk.pairs_max) else {
            return Ok(());
        };
        self.pairs.sort_unstable();
        let start = disk.file.append(&[])?.start;
        let mut end = start;
        let mut bytes = Vec::new();
        for pairs in self.pairs.chunks(1 << 16) {
            bytes.clear();
            for (a, b) in pairs {
                bytes.extend_from_slice(&a.to_le_bytes());
                bytes.extend_from_slice(&b.to_le_bytes());
            }
            end = disk.file.append(&bytes)?.end;
        }
        disk.runs.push(start..end);
        self.pairs.clear();
        Ok(())
    }
}

/// Sorted pairs, one after the other.
#[derive(Debug)]
pub(super) struct Sorted {
    /// The next pair of each run that has one, and the run's number.
    heap: BinaryHeap<Reverse<(Pair, usize)>>,
    runs: Vec<Run>,
}

#[derive(Debug)]
enum Run {
    Gathered(std::vec::IntoIter<Pair>),
    Written(BufReader<Ranges>),
}

impl Run {
    fn next(&mut self) -> io::Result<Option<Pair>> {
        match self {
            Self::Gathered(pairs) => Ok(pairs.next()),
            Self::Written(bytes) => {
                let mut pair = [0; PAIR_BYTES];
                match bytes.read_exact(&mut pair[..1]) {
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                    outcome => outcome?,
                }
                bytes.read_exact(&mut pair[1..])?;
                let number =
                    |at: usize| pair[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
                Ok(Some((number(0), number(8))))
            }
        }
    }
}

impl Sorted {
    fn add(&mut self, mut run: Run) -> io::Result<()> {
        if let Some(pair) = run.next()? {
            self.heap.push(Reverse((pair, self.runs.len())));
            self.runs.push(run);
        }
        Ok(())
    }

    /// Gives the next pair.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn next(&mut self) -> io::Result<Option<Pair>> {
        if let [Run::Gathered(_)] = self.runs.as_slice() {
            // One run needs no heap but for its first pair.
            if let Some(Reverse((pair, _))) = self.heap.pop() {
                return Ok(Some(pair));
            }
            return self.runs[0].next();
        }
        let Some(mut first) = self.heap.peek_mut() else { return Ok(None) };
        let Reverse((pair, run)) = *first;
        match self.runs[run].next()? {
            Some(next) => *first = Reverse((next, run)),
            None => drop(std::collections::binary_heap::PeekMut::pop(first)),
        }
        Ok(Some(pair))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_sorted_at_any_budget() {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 50
        };
        let pairs: Vec<Pair> = (0..5_000).map(|_| (next(), next())).collect();
        let mut expected = pairs.clone();
        expected.sort_unstable();
        let directory = tempfile::tempdir().unwrap();
        for bytes in [0, 100 * PAIR_BYTES, 1 << 20] {
            let gathered = Pairs::on_disk(bytes, TemporaryFile::create(directory.path()).unwrap());
            pairs.chunks(700).for_each(|some| gathered.accept(some));
            assert_eq!(all(gathered), expected, "{bytes}");
        }
        let gathered = Pairs::in_memory();
        gathered.accept(&pairs);
        assert_eq!(all(gathered), expected);
        assert_eq!(all(Pairs::in_memory()), []);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the file has a name");
    }

    fn all(pairs: Pairs) -> Vec<Pair> {
        let mut sorted = pairs.sorted().unwrap();
        std::iter::from_fn(|| sorted.next().unwrap()).collect()
    }
}
