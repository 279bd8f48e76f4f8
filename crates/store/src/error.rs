//! What can go wrong in a store.

use std::error::Error;
use std::fmt;

/// The kinds of failure a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The database cannot be reached, is closing, or its queue is full: try again later.
    Unavailable,
    /// Another write came first; the backend has tried again several times: try again later.
    Contended,
    /// The disk is full, or the database is read-only.
    NoSpace,
    /// The user of the database may not do that: it is another role's, or the owner's.
    NotAllowed,
    /// What is stored is not what was written: a flipped byte, a wrong key.
    Damaged,
    /// A mistake in this program.
    Internal,
    /// The lease under which this was to be written has ended and the job is another's: nothing is written.
    Superseded,
}

/// A store that could not do what it was asked; the source is for the log, never for an answer.
#[derive(Debug)]
pub struct StoreError {
    kind: Kind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error of a kind with its cause.
    pub fn new(kind: Kind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, Kind::Unavailable | Kind::Contended | Kind::NoSpace)
    }

    pub(crate) fn damaged(what: &'static str) -> Self {
        Self::new(Kind::Damaged, what)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Unavailable => "the store is unavailable",
            Kind::Contended => "the store is contended",
            Kind::NoSpace => "the store has no space left or is read-only",
            Kind::NotAllowed => "the user of the database has no right to do that",
            Kind::Damaged => "the store holds damaged data",
            Kind::Internal => "the store was used wrongly",
            Kind::Superseded => "the job has gone to another run",
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as _)
    }
}
