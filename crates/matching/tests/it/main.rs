//! Books, resident matches and the bulk matcher together, against recomputation from scratch.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use matching::book;
use matching::bulk::{Edge, match_edges};
use matching::resident::Resident;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Mutex;

const PEOPLE: u64 = 14;

#[derive(Debug, Clone)]
enum Event {
    Register(u64),
    /// A subscriber leaves and their book is deleted.
    Leave(u64),
    /// The whole book is replaced.
    Upload(u64, BTreeSet<u64>),
    /// One contact comes or goes.
    Amend(u64, u64),
}

fn person() -> impl Strategy<Value = u64> {
    // Zero, home, foreign and any other key.
    (0..PEOPLE).prop_map(|person| match person % 4 {
        0 => person,
        1 => person << 29,
        2 => 1 << 50 | person << 40,
        _ => u64::MAX - person,
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => person().prop_map(Event::Register),
        1 => person().prop_map(Event::Leave),
        6 => (person(), btree_set(person(), 0..12)).prop_map(|(owner, book)| Event::Upload(owner, book)),
        6 => (person(), person()).prop_map(|(owner, contact)| Event::Amend(owner, contact)),
    ]
}

/// What a store keeps: one blob an owner, and everyone's matches.
#[derive(Default)]
struct World {
    blobs: BTreeMap<u64, Vec<u8>>,
    resident: Resident,
}

impl World {
    fn book(&self, owner: u64) -> BTreeSet<u64> {
        self.blobs
            .get(&owner)
            .map(|blob| book::decode(blob).unwrap())
            .unwrap_or_default()
            .into_iter()
            .collect()
    }

    fn follow(&mut self, event: &Event) {
        match event {
            Event::Register(key) => {
                self.resident.register(*key).unwrap();
            }
            Event::Leave(key) => {
                self.resident.remove(*key);
                self.blobs.remove(key);
            }
            Event::Upload(owner, new) => self.upload(*owner, new),
            Event::Amend(owner, contact) => {
                let mut new = self.book(*owner);
                if !new.remove(contact) {
                    new.insert(*contact);
                }
                self.upload(*owner, &new);
            }
        }
    }

    fn upload(&mut self, owner: u64, new: &BTreeSet<u64>) {
        if self.resident.id_of(owner).is_none() {
            return;
        }
        let old: Vec<u64> = self.book(owner).into_iter().collect();
        let new: Vec<u64> = new.iter().copied().collect();
        let changes = book::diff(&old, &new);
        self.blobs.insert(owner, book::encode(&new));
        let probe = |key| self.blobs.get(&key).is_some_and(|blob| book::contains(blob, owner).unwrap());
        self.resident.apply_upload(owner, &changes.added, &changes.removed, probe).unwrap();
    }

    /// The relation by its definition.
    fn recomputed(&self) -> BTreeSet<(u64, u64)> {
        let books: BTreeMap<u64, BTreeSet<u64>> =
            self.blobs.keys().map(|&owner| (owner, self.book(owner))).collect();
        let lists = |a: &u64, b: &u64| books.get(a).is_some_and(|book| book.contains(b));
        let pairs = books.keys().flat_map(|&a| books.keys().map(move |&b| (a, b)));
        pairs.filter(|(a, b)| a < b && lists(a, b) && lists(b, a)).collect()
    }

    fn edges(&self) -> Vec<Edge> {
        let edges = |&owner: &u64| self.book(owner).into_iter().map(move |contact| Edge { owner, contact });
        self.blobs.keys().flat_map(edges).collect()
    }
}

fn all_pairs(resident: &Resident, people: &BTreeSet<u64>) -> BTreeSet<(u64, u64)> {
    let matches = |&a: &u64| resident.matches_of(a).into_iter().flatten().map(move |b| (a, b));
    people.iter().flat_map(matches).collect()
}

fn both_ways(pairs: &BTreeSet<(u64, u64)>) -> BTreeSet<(u64, u64)> {
    pairs.iter().flat_map(|&(a, b)| [(a, b), (b, a)]).collect()
}

proptest! {
    #[test]
    fn after_any_events_the_matches_are_those_recomputed_from_the_books(events in vec(event(), 0..120)) {
        let mut world = World::default();
        let mut people = BTreeSet::new();
        for event in &events {
            if let Event::Register(key) = event {
                people.insert(*key);
            }
            world.follow(event);
        }
        let expected = world.recomputed();
        prop_assert_eq!(all_pairs(&world.resident, &people), both_ways(&expected));
        for &a in &people {
            for &b in &people {
                prop_assert_eq!(world.resident.is_match(a, b), expected.contains(&(a.min(b), a.max(b))));
            }
        }

        // A start from the books alone comes to the same.
        let found = Mutex::new(Vec::new());
        let sink = |pairs: &[(u64, u64)]| found.lock().unwrap().extend_from_slice(pairs);
        match_edges(world.edges().as_slice(), NonZeroUsize::MIN, &sink);
        let registered: Vec<u64> = people.iter().copied().filter(|&key| world.resident.id_of(key).is_some()).collect();
        let rebuilt = Resident::build(registered.into_iter(), found.into_inner().unwrap()).unwrap();
        prop_assert_eq!(rebuilt.len(), world.resident.len());
        prop_assert_eq!(all_pairs(&rebuilt, &people), both_ways(&expected));
    }
}
