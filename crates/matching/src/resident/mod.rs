//! Everyone's matches, kept in memory and changed upload by upload.
//!
//! Registered keys have dense 32-bit ids; each id has the sorted list of the ids it matches. The relation is
//! symmetric by construction: every change is made on both sides. Books stay with the caller, who hands in what
//! an upload added and removed and answers, per added key, whether that key's book holds the uploader.
//!
//! Takes 8 bytes a matched pair (an id of 4 on either side) and about 50 a subscriber: 16 for the list, 8 for
//! the key, 10 to 15 for its slot in the table, about 14 for the list's room and the allocator. A [`Noted`] one
//! keeps with each match 32 bits of the caller's, such as since when it stands: 16 bytes a pair.
//!
//! Reading needs `&self` and changing `&mut self`: the caller chooses the lock. A value is either before or
//! after a whole upload, never between.

mod match_list;
mod registry;

#[cfg(test)]
mod tests;

use match_list::MatchList;
use registry::{Registry, grow_gently};

/// Says that all 2^32 - 1 ids are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no more subscribers can be registered: all ids are in use")]
pub struct Full;

/// Says that an upload's owner is not registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the owner of the book is not registered")]
pub struct UnknownOwner;

/// What an upload changed for its owner, and so for each of those named; in the order the keys were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Keys that match the owner now and did not before.
    pub connected: Vec<u64>,
    /// Keys that no longer match the owner.
    pub disconnected: Vec<u64>,
}

/// The registered subscribers and their matches; with a note for each match where `NOTED`.
#[derive(Debug, Clone, Default)]
pub struct Matches<const NOTED: bool> {
    registry: Registry,
    /// By id; empty for ids not in use.
    lists: Vec<MatchList<NOTED>>,
}

/// Matches without notes: 8 bytes a pair.
pub type Resident = Matches<false>;

/// Matches with notes: 16 bytes a pair.
pub type Noted = Matches<true>;

impl Matches<false> {
    /// Makes one from all subscribers and all matched pairs at once, such as [`crate::bulk`] finds them.
    ///
    /// Pairs may repeat and stand in either order; those of a key with itself or with an unregistered key are
    /// left out. O(subscribers + pairs log longest list); takes 8 bytes a pair while it works.
    ///
    /// # Errors
    /// [`Full`] when there are more subscribers than ids.
    pub fn build(
        subscribers: impl ExactSizeIterator<Item = u64>,
        pairs: impl IntoIterator<Item = (u64, u64)>,
    ) -> Result<Self, Full> {
        let mut resident = Self::new();
        resident.registry.reserve(subscribers.len());
        for key in subscribers {
            resident.registry.register(key)?;
        }
        let registry = &resident.registry;
        let ids = |(a, b)| Some((registry.id_of(a)?, registry.id_of(b)?)).filter(|(a, b)| a != b);
        let pairs: Vec<(u32, u32)> = pairs.into_iter().filter_map(ids).collect();
        let mut degrees = vec![0u32; registry.ids_end()];
        for &(a, b) in &pairs {
            degrees[a as usize] += 1;
            degrees[b as usize] += 1;
        }
        let mut lists: Vec<Vec<u32>> =
            degrees.iter().map(|&degree| Vec::with_capacity(degree as usize)).collect();
        for (a, b) in pairs {
            lists[a as usize].push(b);
            lists[b as usize].push(a);
        }
        // Collecting would keep the greater room of the vectors.
        resident.lists.reserve_exact(lists.len());
        resident.lists.extend(lists.into_iter().map(MatchList::from_entries));
        Ok(resident)
    }

    /// Makes two subscribers match, both ways; false when nothing changed: they matched already, are one and
    /// the same, or one of them is not registered.
    pub fn connect(&mut self, a: u64, b: u64) -> bool {
        self.link(a, b, 0)
    }

    /// Follows one upload of `owner`'s book: ends the matches with the removed keys, and begins one with each
    /// added key that is registered and whose book holds the owner.
    ///
    /// `probe(key)` tells whether `key`'s book holds `owner`. It is asked once for every added key, registered
    /// or not, in the given order, so that the time taken does not tell one from the other; the caller has it do
    /// the same work where there is no book. Repeats are harmless; a key both added and removed ends as added.
    /// O(added * probe + changes * length of a list).
    ///
    /// # Errors
    /// [`UnknownOwner`] when the owner is not registered; then nothing was asked or changed.
    pub fn apply_upload(
        &mut self,
        owner: u64,
        added: &[u64],
        removed: &[u64],
        mut probe: impl FnMut(u64) -> bool,
    ) -> Result<Changes, UnknownOwner> {
        if self.registry.id_of(owner).is_none() {
            return Err(UnknownOwner);
        }
        let mut changes = Changes::default();
        for &key in removed {
            if self.disconnect(owner, key) {
                changes.disconnected.push(key);
            }
        }
        for &key in added {
            if probe(key) && self.connect(owner, key) {
                changes.connected.push(key);
            }
        }
        Ok(changes)
    }
}

impl Matches<true> {
    /// Makes two subscribers match, both ways, with a note; false when nothing changed, the note neither: they
    /// matched already, are one and the same, or one of them is not registered.
    pub fn connect_noted(&mut self, a: u64, b: u64, note: u32) -> bool {
        self.link(a, b, note)
    }

    /// Puts down all that one subscriber matches, with notes, in place of what was there, on their side alone:
    /// until the same was done for each of the others, the relation is not symmetric. Keys that are new are
    /// registered. It is how much is loaded at once, a subscriber after the other. O(entries log entries).
    ///
    /// # Errors
    /// [`Full`] when there are more subscribers than ids.
    pub fn load_side(
        &mut self,
        owner: u64,
        entries: impl IntoIterator<Item = (u64, u32)>,
    ) -> Result<(), Full> {
        let id = self.register(owner)?;
        let mut list = Vec::new();
        for (key, note) in entries {
            let other = self.register(key)?;
            if other != id {
                list.push((other, note));
            }
        }
        self.lists[id as usize] = MatchList::from_entries(list);
        Ok(())
    }

    /// Names all matches of a subscriber with their notes, in the order of their ids; `None` when the key is not
    /// registered.
    #[inline]
    pub fn noted_matches_of(&self, key: u64) -> Option<impl ExactSizeIterator<Item = (u64, u32)> + '_> {
        let list = &self.lists[self.registry.id_of(key)? as usize];
        let keys = list.as_slice().iter().map(|&other| self.registry.key(other));
        Some(keys.zip(list.notes().iter().copied()))
    }

    /// The note of a match as `a` has it; `None` when the two do not match.
    #[inline]
    pub fn note_of(&self, a: u64, b: u64) -> Option<u32> {
        let (a, b) = self.ids_of(a, b)?;
        self.lists[a as usize].note_of(b)
    }
}

impl<const NOTED: bool> Matches<NOTED> {
    /// Makes one without subscribers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts the registered subscribers, in O(1).
    pub fn len(&self) -> usize {
        self.registry.len()
    }

    /// Tells whether nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives a key its id, the same one when it has one already; a new subscriber matches nobody.
    ///
    /// An id stays until [`Resident::remove`], after which another key may get it. Expected O(1); growing the
    /// table, every time their number has grown by half, costs a few nanoseconds for each one registered.
    ///
    /// # Errors
    /// [`Full`] when all ids are in use.
    pub fn register(&mut self, key: u64) -> Result<u32, Full> {
        let id = self.registry.register(key)?;
        while self.lists.len() < self.registry.ids_end() {
            grow_gently(&mut self.lists);
            self.lists.push(MatchList::default());
        }
        Ok(id)
    }

    /// Forgets a subscriber and tells whom they matched; `None` when the key was not registered.
    ///
    /// O(matches * length of a list).
    pub fn remove(&mut self, key: u64) -> Option<Vec<u64>> {
        let id = self.registry.remove(key)?;
        let list = std::mem::take(&mut self.lists[id as usize]);
        for &other in list.as_slice() {
            self.lists[other as usize].remove(id);
        }
        Some(list.as_slice().iter().map(|&other| self.registry.key(other)).collect())
    }

    /// Ends the match of two subscribers, both ways; false when there was none.
    pub fn disconnect(&mut self, a: u64, b: u64) -> bool {
        self.ids_of(a, b).is_some_and(|(a, b)| {
            self.lists[b as usize].remove(a);
            self.lists[a as usize].remove(b)
        })
    }

    /// Names all matches of a subscriber, in the order of their ids; `None` when the key is not registered.
    #[inline]
    pub fn matches_of(&self, key: u64) -> Option<impl ExactSizeIterator<Item = u64> + '_> {
        let id = self.registry.id_of(key)?;
        Some(self.lists[id as usize].as_slice().iter().map(|&other| self.registry.key(other)))
    }

    /// Tells whether two subscribers match; false for unregistered keys. Expected O(1) lookups and a search in
    /// the list of `a`.
    #[inline]
    pub fn is_match(&self, a: u64, b: u64) -> bool {
        self.ids_of(a, b).is_some_and(|(a, b)| self.lists[a as usize].contains(b))
    }

    /// Finds the id of a registered key.
    #[inline]
    pub fn id_of(&self, key: u64) -> Option<u32> {
        self.registry.id_of(key)
    }

    /// Finds the key that has an id now.
    #[inline]
    pub fn key_of(&self, id: u32) -> Option<u64> {
        // The key of a freed id is still there, but no longer leads back to it.
        let known = (id as usize) < self.registry.ids_end();
        known.then(|| self.registry.key(id)).filter(|&key| self.registry.id_of(key) == Some(id))
    }

    /// Names all registered keys, in the order of their ids.
    pub fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.registry.ids_end()).filter_map(|id| self.key_of(id as u32))
    }

    /// Shows the ids that an id matches, sorted; empty for an id not in use.
    #[inline]
    pub fn matched_ids(&self, id: u32) -> &[u32] {
        self.lists.get(id as usize).map_or(&[], MatchList::as_slice)
    }

    /// Adds up the memory asked for, in bytes, without the allocator's own share; O(subscribers).
    pub fn heap_bytes(&self) -> usize {
        let lists: usize = self.lists.iter().map(MatchList::heap_bytes).sum();
        lists + self.lists.capacity() * size_of::<MatchList<NOTED>>() + self.registry.heap_bytes()
    }

    fn link(&mut self, a: u64, b: u64, note: u32) -> bool {
        self.ids_of(a, b).is_some_and(|(a, b)| {
            self.lists[b as usize].insert(a, note);
            self.lists[a as usize].insert(b, note)
        })
    }

    #[inline]
    fn ids_of(&self, a: u64, b: u64) -> Option<(u32, u32)> {
        let ids = (self.registry.id_of(a)?, self.registry.id_of(b)?);
        (a != b).then_some(ids)
    }
}
