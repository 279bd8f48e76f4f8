//! What does not fit in memory, in a file without a name: gone with the process, however that ends.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use matching::bulk::Spill;

/// A file that grows and is read at any place, by one thread at a time.
#[derive(Debug)]
pub(super) struct TemporaryFile {
    file: Arc<File>,
    directory: PathBuf,
    end: u64,
}

impl TemporaryFile {
    /// Begins an empty one on the file system of a directory.
    ///
    /// # Errors
    /// Whatever keeps it from being made there, with the directory's name.
    pub(super) fn create(directory: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(directory).map_err(|error| {
            let words = format!("no temporary file can be made in {}: {error}", directory.display());
            io::Error::new(error.kind(), words)
        })?;
        Ok(Self { file: Arc::new(file), directory: directory.to_owned(), end: 0 })
    }

    /// Appends bytes; tells where they are.
    ///
    /// # Errors
    /// Whatever keeps them from being stored, with the directory's name and the place.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<Range<u64>> {
        let range = self.end..self.end + bytes.len() as u64;
        (&*self.file)
            .seek(SeekFrom::Start(range.start))
            .and_then(|_| (&*self.file).write_all(bytes))
            .map_err(|error| named(&error, "written", range.start, &self.directory))?;
        self.end = range.end;
        Ok(range)
    }

    /// Reads what is in some ranges, one after the other.
    pub(super) fn read(&self, ranges: impl IntoIterator<Item = Range<u64>>) -> Ranges {
        let ranges = ranges.into_iter().collect();
        Ranges { file: Arc::clone(&self.file), directory: self.directory.clone(), ranges }
    }
}

fn named(error: &io::Error, done: &str, place: u64, directory: &Path) -> io::Error {
    let directory = directory.display();
    let words = format!("the temporary file in {directory} cannot be {done} at byte {place}: {error}");
    io::Error::new(error.kind(), words)
}

/// Some ranges of a temporary file.
#[derive(Debug)]
pub(super) struct Ranges {
    file: Arc<File>,
    directory: PathBuf,
    ranges: VecDeque<Range<u64>>,
}

impl Read for Ranges {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ranges.front().is_some_and(Range::is_empty) {
            self.ranges.pop_front();
        }
        let Some(range) = self.ranges.front_mut() else { return Ok(0) };
        let most = usize::try_from(range.end - range.start).unwrap_or(usize::MAX).min(buffer.len());
        let count = (&*self.file)
            .seek(SeekFrom::Start(range.start))
            .and_then(|_| (&*self.file).read(&mut buffer[..most]))
            .map_err(|error| named(&error, "read", range.start, &self.directory))?;
        range.start += count as u64;
        Ok(count)
    }
}

/// Partitions of edges, as ranges of one temporary file.
#[derive(Debug)]
pub(super) struct Partitions {
    file: TemporaryFile,
    ranges: HashMap<u64, Vec<Range<u64>>>,
}

impl Partitions {
    pub(super) fn new(file: TemporaryFile) -> Self {
        Self { file, ranges: HashMap::new() }
    }
}

impl Spill for Partitions {
    fn append(&mut self, partition: u64, bytes: &[u8]) -> io::Result<()> {
        let range = self.file.append(bytes)?;
        self.ranges.entry(partition).or_default().push(range);
        Ok(())
    }

    fn open(&mut self, partition: u64) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(self.file.read(self.ranges.get(&partition).cloned().unwrap_or_default())))
    }

    fn discard(&mut self, partition: u64) -> io::Result<()> {
        // Its room comes back with the whole file's.
        self.ranges.remove(&partition);
        Ok(())
    }
}
