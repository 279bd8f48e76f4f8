//! The ids that one subscriber matches, sorted.

/// Fills the end of a list; no id, and greater than all.
const PAD: u32 = u32::MAX;

/// Room grows in steps of 16 bytes from 8: with the allocator's own 8 bytes that fills its 16-byte grain.
const STEP: usize = 4;

/// Up to here all entries are compared, which the processor does many at a time and without waiting for one
/// line of memory to know the next; it beats bisection up to about 128.
const SCANNED_MAX: usize = 128;

/// Sorted set of ids: 16 bytes and 4 an id, with room for 0 to 7 more.
///
/// The room is filled with [`PAD`], which sorts last, so that no length or capacity has to be kept.
#[derive(Debug, Clone, Default)]
pub(super) struct MatchList(Box<[u32]>);

impl MatchList {
    /// Makes a list of ids in any order, repeats allowed.
    pub(super) fn from_ids(mut ids: Vec<u32>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        Self::with_room(&ids)
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[u32] {
        let end = self.0.iter().rposition(|&id| id != PAD).map_or(0, |last| last + 1);
        &self.0[..end]
    }

    #[inline]
    pub(super) fn contains(&self, id: u32) -> bool {
        if self.0.len() <= SCANNED_MAX {
            // No early end: that would make it a loop of single steps.
            self.0.iter().fold(false, |found, &one| found | (one == id))
        } else {
            self.0.binary_search(&id).is_ok()
        }
    }

    /// Adds an id; false when it was there.
    pub(super) fn insert(&mut self, id: u32) -> bool {
        let place = self.0.partition_point(|&one| one < id);
        if self.0.get(place) == Some(&id) {
            return false;
        }
        if self.0.last() != Some(&PAD) {
            let mut roomy = vec![PAD; room_for(self.0.len() + 1)];
            roomy[..self.0.len()].copy_from_slice(&self.0);
            self.0 = roomy.into_boxed_slice();
        }
        let last = self.0.len() - 1;
        self.0.copy_within(place..last, place + 1);
        self.0[place] = id;
        true
    }

    /// Takes an id out; false when it was not there.
    pub(super) fn remove(&mut self, id: u32) -> bool {
        let Ok(place) = self.0.binary_search(&id) else { return false };
        self.0.copy_within(place + 1.., place);
        if let Some(last) = self.0.last_mut() {
            *last = PAD;
        }
        // One spare step is kept, so that an id coming and going does not allocate each time.
        let kept = self.as_slice();
        if self.0.len() > room_for(kept.len()) + STEP || kept.is_empty() {
            *self = Self::with_room(kept);
        }
        true
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    fn with_room(ids: &[u32]) -> Self {
        let mut roomy = vec![PAD; room_for(ids.len())];
        roomy[..ids.len()].copy_from_slice(ids);
        Self(roomy.into_boxed_slice())
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
    use std::collections::BTreeSet;

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
            let (mut list, mut model) = (MatchList::default(), BTreeSet::new());
            for (add, id) in changes {
                if add {
                    prop_assert_eq!(list.insert(id), model.insert(id));
                } else {
                    prop_assert_eq!(list.remove(id), model.remove(&id));
                }
                prop_assert_eq!(list.contains(id), model.contains(&id));
            }
            let ids: Vec<u32> = model.iter().copied().collect();
            prop_assert_eq!(list.as_slice(), &ids);
            prop_assert!(list.heap_bytes() <= 4 * (ids.len() + 8));
            let rebuilt = MatchList::from_ids(ids.iter().rev().chain(&ids).copied().collect());
            prop_assert_eq!(rebuilt.as_slice(), &ids);
        }
    }
}
