//! The ids that one subscriber matches, sorted.

/// Fills the end of a list; no id, and greater than all.
const PAD: u32 = u32::MAX;

/// Room grows in steps of 16 bytes from 8: with the allocator's own 8 bytes that fills its 16-byte grain.
const STEP: usize = 4;

/// Up to here all entries are compared, which the processor does many at a time and without waiting for one
/// line of memory to know the next; it beats bisection up to about 128.
const SCANNED_MAX: usize = 128;

/// Sorted set of ids, each with a note of 32 bits where `NOTED`: 16 bytes and 4 an id (8 where noted), with room for
/// 0 to 7 more.
///
/// The room is filled with [`PAD`], which sorts last, so that no length or capacity has to be kept. The notes follow
/// the room of the ids, each as far behind its beginning as its id.
#[derive(Debug, Clone, Default)]
pub(super) struct MatchList<const NOTED: bool>(Box<[u32]>);

impl<const NOTED: bool> MatchList<NOTED> {
    /// Words an id takes.
    const WORDS: usize = if NOTED { 2 } else { 1 };

    /// Makes a list of ids in any order, repeats allowed; of notes of one id any may stay.
    pub(super) fn from_entries<E: Entry>(mut entries: Vec<E>) -> Self {
        entries.sort_unstable();
        entries.dedup_by_key(|entry| entry.id());
        let mut list = Self::with_room(entries.len());
        let (ids, notes) = list.halves_mut();
        entries.iter().zip(ids).for_each(|(entry, id)| *id = entry.id());
        entries.iter().zip(notes).for_each(|(entry, note)| *note = entry.note());
        list
    }

    /// The ids, sorted.
    #[inline]
    pub(super) fn as_slice(&self) -> &[u32] {
        let room = self.room();
        let end = room.iter().rposition(|&id| id != PAD).map_or(0, |last| last + 1);
        &room[..end]
    }

    /// The notes, in the order of their ids; none where they are not kept.
    #[inline]
    pub(super) fn notes(&self) -> &[u32] {
        if NOTED { &self.0[self.0.len() / 2..][..self.as_slice().len()] } else { &[] }
    }

    #[inline]
    pub(super) fn contains(&self, id: u32) -> bool {
        let room = self.room();
        if room.len() <= SCANNED_MAX {
            // No early end: that would make it a loop of single steps.
            room.iter().fold(false, |found, &one| found | (one == id))
        } else {
            room.binary_search(&id).is_ok()
        }
    }

    /// The note of an id; `None` when the id is not there, or notes are not kept.
    pub(super) fn note_of(&self, id: u32) -> Option<u32> {
        let place = self.room().binary_search(&id).ok()?;
        self.notes().get(place).copied()
    }

    /// Adds an id with its note; false, and the note stays as it was, when it was there.
    pub(super) fn insert(&mut self, id: u32, note: u32) -> bool {
        let place = self.room().partition_point(|&one| one < id);
        if self.room().get(place) == Some(&id) {
            return false;
        }
        if self.room().last() != Some(&PAD) {
            *self = self.copied(self.room().len() + 1);
        }
        let (ids, notes) = self.halves_mut();
        let last = ids.len() - 1;
        ids.copy_within(place..last, place + 1);
        ids[place] = id;
        if NOTED {
            notes.copy_within(place..last, place + 1);
            notes[place] = note;
        }
        true
    }

    /// Takes an id out; false when it was not there.
    pub(super) fn remove(&mut self, id: u32) -> bool {
        let Ok(place) = self.room().binary_search(&id) else { return false };
        let (ids, notes) = self.halves_mut();
        ids.copy_within(place + 1.., place);
        if let Some(last) = ids.last_mut() {
            *last = PAD;
        }
        if NOTED {
            notes.copy_within(place + 1.., place);
        }
        // One spare step is kept, so that an id coming and going does not allocate each time.
        let kept = self.as_slice().len();
        if self.room().len() > room_for(kept) + STEP || kept == 0 {
            *self = self.copied(kept);
        }
        true
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    #[inline]
    fn room(&self) -> &[u32] {
        &self.0[..self.0.len() / Self::WORDS]
    }

    fn halves_mut(&mut self) -> (&mut [u32], &mut [u32]) {
        self.0.split_at_mut(self.0.len() / Self::WORDS)
    }

    /// A copy with room for so many ids.
    fn copied(&self, len: usize) -> Self {
        let mut roomy = Self::with_room(len);
        let (ids, notes) = roomy.halves_mut();
        let kept = self.as_slice();
        ids[..kept.len()].copy_from_slice(kept);
        notes.iter_mut().zip(self.notes()).for_each(|(note, &kept)| *note = kept);
        roomy
    }

    fn with_room(len: usize) -> Self {
        let room = room_for(len);
        let mut words = vec![PAD; room * Self::WORDS];
        words[room..].fill(0);
        Self(words.into_boxed_slice())
    }
}

/// An id, with or without a note; sorts by id.
pub(super) trait Entry: Ord {
    fn id(&self) -> u32;
    fn note(&self) -> u32;
}

impl Entry for u32 {
    fn id(&self) -> u32 {
        *self
    }

    fn note(&self) -> u32 {
        0
    }
}

impl Entry for (u32, u32) {
    fn id(&self) -> u32 {
        self.0
    }

    fn note(&self) -> u32 {
        self.1
    }
}

/// Room for so many ids: 0, 2, 6, 10, 14 …
fn room_for(len: usize) -> usize {
    if len == 0 { 0 } else { (len + 2).next_multiple_of(STEP) - 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn room_is_enough_and_at_most_four_too_much() {
        for len in 1..3000 {
            let room = room_for(len);
            assert!(room >= len && room < len + STEP && room % STEP == 2, "{len}: {room}");
        }
    }

    proptest! {
        #[test]
        fn a_list_is_a_sorted_set(changes in proptest::collection::vec((any::<bool>(), 0u32..300), 0..900)) {
            let (mut list, mut model) = (MatchList::<false>::default(), BTreeSet::new());
            for (add, id) in changes {
                if add {
                    prop_assert_eq!(list.insert(id, 7), model.insert(id));
                } else {
                    prop_assert_eq!(list.remove(id), model.remove(&id));
                }
                prop_assert_eq!(list.contains(id), model.contains(&id));
            }
            let ids: Vec<u32> = model.iter().copied().collect();
            prop_assert_eq!(list.as_slice(), &ids);
            prop_assert!(list.heap_bytes() <= 4 * (ids.len() + 8));
            let rebuilt = MatchList::<false>::from_entries(ids.iter().rev().chain(&ids).copied().collect());
            prop_assert_eq!(rebuilt.as_slice(), &ids);
        }

        #[test]
        fn a_noted_list_keeps_each_note_with_its_id(
            changes in proptest::collection::vec((any::<bool>(), 0u32..300, any::<u32>()), 0..900),
        ) {
            let (mut list, mut model) = (MatchList::<true>::default(), BTreeMap::new());
            for (add, id, note) in changes {
                if add {
                    prop_assert_eq!(list.insert(id, note), !model.contains_key(&id));
                    model.entry(id).or_insert(note);
                } else {
                    prop_assert_eq!(list.remove(id), model.remove(&id).is_some());
                }
                prop_assert_eq!(list.note_of(id), model.get(&id).copied());
            }
            let entries: Vec<(u32, u32)> = model.into_iter().collect();
            let found = |list: &MatchList<true>| -> Vec<(u32, u32)> {
                list.as_slice().iter().copied().zip(list.notes().iter().copied()).collect()
            };
            prop_assert_eq!(found(&list), entries.clone());
            prop_assert!(list.heap_bytes() <= 8 * (entries.len() + 8));
            prop_assert_eq!(found(&MatchList::from_entries(entries.iter().rev().copied().collect())), entries);
        }
    }
}
