//! What readers see of matches and shares, in memory: the rows of the newest commit and nothing else.
//!
//! The writer's connection tells of each row that comes or goes ([`Capture`]); after the commit, before anybody is
//! told, the writer applies them here under the lock. So there is nothing that a verb could forget to keep in step,
//! and nobody reads what is not durable, half a commit, or what an acknowledged commit has taken away.

mod capture;
mod feed;
mod people;
mod start;

use std::sync::{PoisonError, RwLock};

use domain::key::ContactKey;
use matching::resident::{Full, Noted};

pub(super) use self::capture::Capture;
use self::capture::{Change, Row};
use self::people::People;
use crate::error::{Kind, StoreError};
use crate::friends::{FeedItem, FeedPage, MatchPage, Memory};
use crate::keys::Keys;

/// The memory, as its writer and its readers share it.
#[derive(Default)]
pub(super) struct Shared(RwLock<Resident>);

impl Shared {
    /// Looks at what the newest commit has left.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Resident) -> T) -> Result<T, StoreError> {
        let known = self.0.read().ok().filter(|resident| !resident.full);
        let unknown = || StoreError::new(Kind::Internal, "what is in memory is not known to be whole");
        known.map(|resident| look(&resident)).ok_or_else(unknown)
    }

    /// Follows a commit, whole.
    pub(super) fn apply(&self, changes: Vec<Change>) {
        if !changes.is_empty() {
            // Where this ends in a panic the lock is poisoned, and nobody is shown half a commit.
            let mut resident = self.0.write().unwrap_or_else(PoisonError::into_inner);
            changes.into_iter().for_each(|change| resident.apply(change));
        }
    }
}

/// Matches, and what people show of their subscriptions.
#[derive(Default)]
pub(super) struct Resident {
    /// Those who match anybody, and since when, in Unix seconds.
    matches: Noted,
    people: People,
    /// Whether there were more people than the memory takes: then it is not whole.
    full: bool,
}

impl Resident {
    fn apply(&mut self, Change { came, row }: Change) {
        match row {
            Row::Matched { owner, friend, since } if came => self.connect(owner, friend, since),
            Row::Matched { owner, friend, .. } => self.disconnect(owner, friend),
            Row::Shown(row) => self.people.apply(came, row),
        }
    }

    /// Both directions are rows; the first of them makes the match, the second finds it made.
    fn connect(&mut self, owner: u64, friend: u64, since: u32) {
        match self.matches.register(owner).and_then(|_| self.matches.register(friend)) {
            Ok(_) => {
                self.matches.connect_noted(owner, friend, since);
            }
            Err(Full) => self.full = true,
        }
    }

    fn disconnect(&mut self, owner: u64, friend: u64) {
        self.matches.disconnect(owner, friend);
        // Whoever matches nobody any more takes no room.
        for key in [owner, friend] {
            if self.matches.matches_of(key).is_some_and(|matches| matches.len() == 0) {
                self.matches.remove(key);
            }
        }
    }
}

impl Memory for Resident {
    fn matches(&self, MatchPage { owner, after, count }: MatchPage) -> Vec<(ContactKey, u32)> {
        let Some(all) = self.matches.noted_matches_of(owner.value()) else { return Vec::new() };
        let mut all: Vec<(u64, u32)> =
            all.filter(|(friend, _)| after.is_none_or(|after| *friend > after.value())).collect();
        if all.len() > count {
            all.select_nth_unstable(count);
            all.truncate(count);
        }
        all.sort_unstable();
        all.into_iter().map(|(friend, since)| (ContactKey::from_value(friend), since)).collect()
    }

    fn find_match(&self, owner: ContactKey, friend: ContactKey) -> Option<u32> {
        self.matches.note_of(owner.value(), friend.value())
    }

    fn feed(&self, page: &FeedPage<'_>, keys: &Keys) -> Result<Vec<FeedItem>, StoreError> {
        feed::read(self, page, keys)
    }
}
