//! Registered keys and their dense ids.

use super::Full;
use crate::mix::mix;

/// A slot without an id. Ids end one below `u32::MAX`, so no occupied slot looks like it.
const EMPTY: u64 = u64::MAX;

/// Ids end here: `u32::MAX` pads match lists and marks empty slots.
const IDS_END: usize = u32::MAX as usize;

/// Exact table from key to id and back.
///
/// A slot is the top half of the mixed key above the id. Occupied slots ascend over the whole table (linear
/// probing in hash order: Amble and Knuth, Ordered hash tables, 1974), each at or behind its home with no empty
/// slot between; so a lookup of an unknown key ends as early as one of a known key, and a growing table is
/// rewritten front to back without touching a key. The full key is compared last, so there are no false hits.
///
/// Takes 8 bytes an id for its key and 10 to 15 for its slot.
#[derive(Debug, Clone, Default)]
pub(super) struct Registry {
    slots: Vec<u64>,
    /// Number of homes; `slots` is longer when the last cluster runs over the end.
    homes: u64,
    keys: Vec<u64>,
    free: Vec<u32>,
}

impl Registry {
    /// Counts the registered keys.
    pub(super) fn len(&self) -> usize {
        self.keys.len() - self.free.len()
    }

    /// Number of ids ever given out; all ids are below it.
    pub(super) fn ids_end(&self) -> usize {
        self.keys.len()
    }

    /// The key of an id that is in use.
    #[inline]
    pub(super) fn key(&self, id: u32) -> u64 {
        self.keys[id as usize]
    }

    #[inline]
    pub(super) fn id_of(&self, key: u64) -> Option<u32> {
        let least = mix(key) & !u64::from(u32::MAX);
        let most = least | (u64::from(u32::MAX) - 1);
        for &slot in self.slots.get(self.home(least)..)? {
            if slot >= least {
                if slot > most {
                    return None;
                }
                if self.keys[slot as u32 as usize] == key {
                    return Some(slot as u32);
                }
            }
        }
        None
    }

    /// Gives the key an id: the one it has, or a free one, or the next.
    pub(super) fn register(&mut self, key: u64) -> Result<u32, Full> {
        if let Some(id) = self.id_of(key) {
            return Ok(id);
        }
        let id = match self.free.pop() {
            Some(id) => {
                self.keys[id as usize] = key;
                id
            }
            None if self.keys.len() >= IDS_END => return Err(Full),
            None => {
                grow_gently(&mut self.keys);
                self.keys.push(key);
                (self.keys.len() - 1) as u32
            }
        };
        // Four slots in five at most: clusters stay short, and growth by half keeps at least one in two.
        if (self.len() as u64) * 5 > self.homes * 4 {
            self.rebuild((self.homes + self.homes / 2).max(16));
        }
        self.insert_slot(mix(key) & !u64::from(u32::MAX) | u64::from(id));
        Ok(id)
    }

    /// Makes room for `more` keys, so that registering them moves nothing.
    pub(super) fn reserve(&mut self, more: usize) {
        self.keys.reserve_exact(more);
        let homes = (self.len() + more) as u64 * 5 / 4 + 1;
        if homes > self.homes {
            self.rebuild(homes);
        }
    }

    /// Takes the key's id back; it may be given out again.
    pub(super) fn remove(&mut self, key: u64) -> Option<u32> {
        let id = self.id_of(key)?;
        let wanted = mix(key) & !u64::from(u32::MAX) | u64::from(id);
        let mut hole = self.home(wanted);
        while *self.slots.get(hole)? != wanted {
            hole += 1;
        }
        // Those behind move up as long as that does not take them before their home.
        while let Some(&next) = self.slots.get(hole + 1) {
            if next == EMPTY || self.home(next) > hole {
                break;
            }
            self.slots[hole] = next;
            hole += 1;
        }
        self.slots[hole] = EMPTY;
        self.free.push(id);
        Some(id)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        (self.slots.capacity() + self.keys.capacity()) * size_of::<u64>()
            + self.free.capacity() * size_of::<u32>()
    }

    #[inline]
    fn home(&self, slot: u64) -> usize {
        (((slot >> 32) * self.homes) >> 32) as usize
    }

    fn insert_slot(&mut self, slot: u64) {
        let mut carried = slot;
        let home = self.home(slot);
        for place in &mut self.slots[home..] {
            if *place == EMPTY {
                *place = carried;
                return;
            }
            if *place > carried {
                std::mem::swap(place, &mut carried);
            }
        }
        grow_gently(&mut self.slots);
        self.slots.push(carried);
    }

    fn rebuild(&mut self, homes: u64) {
        let old = std::mem::take(&mut self.slots);
        self.homes = homes;
        // The last cluster may run over the end by a few slots; more are rare and find room then.
        let mut slots = Vec::with_capacity(homes as usize + 64);
        for slot in old.into_iter().filter(|&slot| slot != EMPTY) {
            // Slots come in ascending order, so each goes to its home or right behind the one before.
            let home = self.home(slot);
            if slots.len() < home {
                slots.resize(home, EMPTY);
            }
            grow_gently(&mut slots);
            slots.push(slot);
        }
        if slots.len() < homes as usize {
            slots.resize(homes as usize, EMPTY);
        }
        self.slots = slots;
    }
}

/// Makes room by an eighth instead of by doubling: at a few million subscribers doubled arrays would cost more
/// than all their matches, and the allocator moves such large ones by remapping.
pub(super) fn grow_gently<T>(items: &mut Vec<T>) {
    if items.len() == items.capacity() {
        items.reserve_exact((items.len() / 8).max(16));
    }
}
