//! Edges on their way from the files to the matcher: in memory, or spilled where they are too many.

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use matching::bulk::{Edge, EdgeStream, PairSink, Summary, match_edges};

/// Takes edges from several threads at once, and matches them.
pub(in crate::commands) struct Edges<'a>(Mutex<Kept<'a>>);

enum Kept<'a> {
    Whole(Vec<Vec<Edge>>),
    Spilled(Box<EdgeStream<'a>>),
}

impl<'a> Edges<'a> {
    /// All in memory.
    pub(in crate::commands) fn whole() -> Self {
        Self(Mutex::new(Kept::Whole(Vec::new())))
    }

    /// In as much memory as the stream may take.
    pub(in crate::commands) fn spilled(stream: EdgeStream<'a>) -> Self {
        Self(Mutex::new(Kept::Spilled(Box::new(stream))))
    }

    /// Takes some edges.
    ///
    /// # Errors
    /// Those of the disk.
    pub(in crate::commands) fn take(&self, edges: Vec<Edge>) -> io::Result<()> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Kept::Whole(parts) => parts.push(edges),
            Kept::Spilled(stream) => stream.push(&edges)?,
        }
        Ok(())
    }

    /// The edges themselves, in the pieces in which they came; none of those that were spilled.
    pub(in crate::commands) fn into_parts(self) -> Vec<Vec<Edge>> {
        match self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Kept::Whole(parts) => parts,
            Kept::Spilled(_) => Vec::new(),
        }
    }

    /// Matches them all.
    ///
    /// # Errors
    /// Those of the disk.
    pub(in crate::commands) fn matched<S>(self, threads: NonZeroUsize, sink: &S) -> io::Result<Summary>
    where
        S: PairSink<u64> + ?Sized,
    {
        match self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Kept::Whole(parts) => Ok(match_edges(parts.as_slice(), threads, sink)),
            Kept::Spilled(stream) => stream.finish(threads, sink),
        }
    }
}
