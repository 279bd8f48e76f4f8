use super::*;
use crate::mix::unmix;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Step {
    Register(u64),
    Remove(u64),
    Connect(u64, u64),
    Disconnect(u64, u64),
}

/// Few keys, so that steps meet; some of them share one home at the very end of the table.
fn key() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..12, (0u64..12).prop_map(|low| unmix(u64::MAX - low)), Just(u64::MAX)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => key().prop_map(Step::Register),
        1 => key().prop_map(Step::Remove),
        6 => (key(), key()).prop_map(|(a, b)| Step::Connect(a, b)),
        2 => (key(), key()).prop_map(|(a, b)| Step::Disconnect(a, b)),
    ]
}

/// Registered keys and, of each, its matches.
type Model = BTreeMap<u64, BTreeSet<u64>>;

fn take(model: &mut Model, step: &Step) -> bool {
    match *step {
        Step::Register(key) => {
            model.entry(key).or_default();
            true
        }
        Step::Remove(key) => {
            model.values_mut().for_each(|matches| {
                matches.remove(&key);
            });
            model.remove(&key).is_some()
        }
        Step::Connect(a, b) => {
            let possible = a != b && model.contains_key(&a) && model.contains_key(&b);
            possible && {
                model.entry(b).or_default().insert(a);
                model.entry(a).or_default().insert(b)
            }
        }
        Step::Disconnect(a, b) => {
            model.get_mut(&b).is_some_and(|matches| matches.remove(&a))
                && model.get_mut(&a).is_some_and(|matches| matches.remove(&b))
        }
    }
}

fn check(resident: &Resident, model: &Model) -> Result<(), TestCaseError> {
    prop_assert_eq!(resident.len(), model.len());
    prop_assert_eq!(resident.is_empty(), model.is_empty());
    let mut ids = BTreeSet::new();
    for (&key, matches) in model {
        let id = resident.id_of(key);
        prop_assert!(id.is_some_and(|id| ids.insert(id)), "ids differ");
        prop_assert_eq!(id.and_then(|id| resident.key_of(id)), Some(key));
        let found: Option<BTreeSet<u64>> = resident.matches_of(key).map(Iterator::collect);
        prop_assert_eq!(found.as_ref(), Some(matches));
        for &other in model.keys() {
            prop_assert_eq!(resident.is_match(key, other), matches.contains(&other));
        }
    }
    let in_use = (0..100).filter(|&id| resident.key_of(id).is_some()).count();
    prop_assert_eq!(in_use, model.len());
    Ok(())
}

proptest! {
    #[test]
    fn any_steps_leave_what_a_plain_map_would_hold(steps in vec(step(), 0..300)) {
        let (mut resident, mut model) = (Resident::new(), Model::new());
        for step in &steps {
            let changed = match *step {
                Step::Register(key) => resident.register(key).is_ok(),
                Step::Remove(key) => resident.remove(key).is_some(),
                Step::Connect(a, b) => resident.connect(a, b),
                Step::Disconnect(a, b) => resident.disconnect(a, b),
            };
            prop_assert_eq!(changed, take(&mut model, step), "{:?}", step);
        }
        check(&resident, &model)?;
    }

    #[test]
    fn building_at_once_equals_connecting_one_by_one(
        keys in vec(key(), 0..30),
        pairs in vec((key(), key()), 0..200),
    ) {
        let built = Resident::build(keys.iter().copied(), pairs.iter().copied()).unwrap();
        let mut model = Model::new();
        keys.iter().for_each(|&key| { take(&mut model, &Step::Register(key)); });
        pairs.iter().for_each(|&(a, b)| { take(&mut model, &Step::Connect(a, b)); });
        check(&built, &model)?;
    }
}

#[test]
fn ids_are_dense_and_a_freed_one_is_given_out_again() {
    let mut resident = Resident::new();
    for key in 0..1000 {
        assert_eq!(resident.register(key * 7), Ok(key as u32));
    }
    assert_eq!(resident.register(21), Ok(3));
    assert_eq!(resident.remove(21), Some(vec![]));
    assert_eq!((resident.id_of(21), resident.key_of(3)), (None, None));
    assert_eq!(resident.register(1), Ok(3));
    assert_eq!(resident.register(2), Ok(1000));
}

#[test]
fn every_added_key_is_probed_once_registered_or_not() {
    let mut resident = Resident::new();
    for key in [1, 2, 3] {
        resident.register(key).unwrap();
    }
    let mut asked = Vec::new();
    let changes = resident.apply_upload(1, &[2, 3, 4, 1], &[], |key| {
        asked.push(key);
        key != 3
    });
    assert_eq!(asked, [2, 3, 4, 1]);
    assert_eq!(changes, Ok(Changes { connected: vec![2], disconnected: vec![] }));
    let changes = resident.apply_upload(1, &[], &[2, 9], |_| true);
    assert_eq!(changes, Ok(Changes { connected: vec![], disconnected: vec![2] }));
    assert_eq!(resident.apply_upload(9, &[1], &[], |_| panic!("asked")), Err(UnknownOwner));
}

proptest! {
    #[test]
    fn notes_stand_on_both_sides_and_sides_loaded_one_by_one_are_the_same(
        pairs in vec((key(), key(), any::<u32>()), 0..200),
        gone in vec(key(), 0..4),
    ) {
        let (mut noted, mut model) = (Noted::new(), BTreeMap::new());
        for &(a, b, note) in &pairs {
            noted.register(a).unwrap();
            noted.register(b).unwrap();
            let fresh = a != b && !model.contains_key(&(a, b));
            prop_assert_eq!(noted.connect_noted(a, b, note), fresh);
            if fresh {
                model.extend([((a, b), note), ((b, a), note)]);
            }
        }
        for key in gone {
            noted.remove(key);
            model.retain(|(a, b), _| *a != key && *b != key);
        }
        let mut sides: BTreeMap<u64, Vec<(u64, u32)>> = BTreeMap::new();
        for (&(a, b), &note) in &model {
            sides.entry(a).or_default().push((b, note));
        }
        let mut loaded = Noted::new();
        for (&owner, entries) in &sides {
            loaded.load_side(owner, entries.iter().copied()).unwrap();
        }
        for one in [&noted, &loaded] {
            for (&owner, entries) in &sides {
                let mut found: Vec<(u64, u32)> = one.noted_matches_of(owner).unwrap().collect();
                found.sort_unstable();
                prop_assert_eq!(&found, entries);
            }
            for (&(a, b), &note) in &model {
                prop_assert_eq!(one.note_of(a, b), Some(note));
                prop_assert!(one.is_match(a, b));
            }
        }
        prop_assert_eq!(noted.note_of(3, 3), None);
    }
}
