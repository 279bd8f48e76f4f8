//! The key file: made once, whole, and its owner's alone.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use domain::world::{SeededDice, SetClock, World};
use store::Keys;

fn world(seed: u64) -> World {
    World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(seed)))
}

#[test]
fn first_starts_at_the_same_moment_agree_on_one_key_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fresh").join("keys.json");
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|seed| {
                let path = &path;
                scope.spawn(move || Keys::load(path, true, &world(seed)).unwrap().operator_token())
            })
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(tokens.iter().all(|token| *token == tokens[0]), "two processes work under two keys");
    assert_eq!(Keys::load(&path, false, &world(99)).unwrap().operator_token(), tokens[0]);
}

#[test]
fn a_new_key_file_is_its_owners_alone_and_nothing_is_left_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    Keys::load(&path, true, &world(1)).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
