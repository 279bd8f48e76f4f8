//! What people see of each other: their matches, and what these share with them.
//!
//! Each verb reads rows, or what a backend keeps of them in memory ([`Memory`]); both say the same. A write
//! decides by the rows, which hold what it has itself written before; whoever only looks is answered from memory
//! where there is one.

mod feed;
mod matches;
mod recompute;

use domain::key::ContactKey;

pub(crate) use feed::FeedPage;
pub use feed::{FeedFilter, FeedItem};
pub use matches::Match;
pub(crate) use matches::{MatchPage, matched_since};
pub(crate) use recompute::{Differences, Truth};

use crate::error::{Kind, StoreError};
use crate::keys::Keys;
use crate::sql::Sql;

/// What a backend keeps in memory of matches and shares: the rows of the newest commit.
pub(crate) trait Memory {
    /// Some of a person's matches in order of key, with since when, in Unix seconds.
    fn matches(&self, page: MatchPage) -> Vec<(ContactKey, u32)>;
    /// Since when two people match.
    fn find_match(&self, owner: ContactKey, friend: ContactKey) -> Option<u32>;
    /// Some of the shares that a viewer may see, the newest first.
    fn feed(&self, page: &FeedPage, keys: &Keys) -> Result<Vec<FeedItem>, StoreError>;
}

/// Reads what people see of each other.
pub struct FriendsView<'a> {
    source: Source<'a>,
    keys: &'a Keys,
}

enum Source<'a> {
    Rows(&'a mut dyn Sql),
    Memory(&'a dyn Memory),
}

impl<'a> FriendsView<'a> {
    pub(crate) fn of_rows(sql: &'a mut dyn Sql, keys: &'a Keys) -> Self {
        Self { source: Source::Rows(sql), keys }
    }

    pub(crate) fn of_memory(memory: &'a dyn Memory, keys: &'a Keys) -> Self {
        Self { source: Source::Memory(memory), keys }
    }
}

impl FriendsView<'_> {
    fn rows(&mut self) -> Result<&mut dyn Sql, StoreError> {
        match &mut self.source {
            Source::Rows(sql) => Ok(*sql),
            Source::Memory(_) => Err(StoreError::new(Kind::Internal, "this is read from rows alone")),
        }
    }
}
