//! Everyone's matches at once: an operator's first import, an audit, every start of the embedded server.
//!
//! [`match_edges`] takes edges that can be read twice, in memory or made from something there;
//! [`match_id_books`] takes books that name people by dense ids already; [`EdgeStream`] takes edges that pass by
//! once, in about the memory it is given.

mod edges;
mod filter;
mod grid;
mod halves;
mod id_books;
mod join;
mod owners;
mod partitions;
mod sink;
mod source;
mod stream;
mod table;
mod work;

#[cfg(test)]
mod tests;

pub use edges::match_edges;
pub use id_books::{IdBooks, match_id_books};
pub use sink::{CountOnly, PairSink};
pub use source::EdgeSource;
pub use stream::{EdgeStream, Spill};

/// One entry of a book: `contact` stands in the book of `owner`. 16 bytes; any `u64` is a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// Key of the book's owner.
    pub owner: u64,
    /// Key of the contact.
    pub contact: u64,
}

/// What a bulk match counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Edges read, repeats and those to oneself included.
    pub edges: u64,
    /// Different owners.
    pub owners: u64,
    /// Pairs of owners in one another's books, each counted once.
    pub mutual_pairs: u64,
}
