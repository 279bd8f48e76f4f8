//! The kept corpus, on every run of the tests and without a fuzzer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at once")]

use std::path::{Path, PathBuf};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn names(directory: &Path) -> Vec<String> {
    let entries =
        std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

#[test]
fn every_input_that_was_kept_is_read_as_it_must_be() {
    for target in inputs::TARGETS {
        let directory = corpus().join(target.name);
        let inputs = names(&directory);
        assert!(!inputs.is_empty(), "{}", target.name);
        for name in inputs {
            let bytes = std::fs::read(directory.join(&name)).unwrap();
            let held = std::panic::catch_unwind(|| (target.check)(&bytes));
            assert!(held.is_ok(), "fuzz/corpus/{}/{name}", target.name);
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_a_program_for_the_fuzzer_and_none_is_left_over() {
    let wanted: Vec<_> = inputs::TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names(&corpus()), wanted);
    let programs = names(&corpus().join("../fuzz_targets"));
    assert_eq!(programs, wanted.iter().map(|name| format!("{name}.rs")).collect::<Vec<_>>());
    let manifest = std::fs::read_to_string(corpus().join("../Cargo.toml")).unwrap();
    for name in wanted {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
