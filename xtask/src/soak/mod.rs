//! Long runs: each looks for violations until its time or its rounds are over, prints a summary line, and fails on any.

mod kill;
mod timing;

use std::path::Path;

use crate::run::Failed;

/// A long run: its word, what it does, and how it is run with the words that follow.
pub(crate) struct Soak {
    pub(crate) word: &'static str,
    pub(crate) what: &'static str,
    pub(crate) run: fn(&Path, &[&str]) -> Result<(), Failed>,
}

/// All long runs.
pub(crate) const SOAKS: &[Soak] = &[
    Soak {
        word: "kill",
        what: "kill -9 at random moments under a mixed load; --rounds N, --seed S",
        run: kill::run,
    },
    timing::SOAK,
];

/// Runs one by its word; `None` when there is none of that word.
pub(crate) fn run(root: &Path, word: &str, arguments: &[&str]) -> Option<Result<(), Failed>> {
    SOAKS.iter().find(|soak| soak.word == word).map(|soak| (soak.run)(root, arguments))
}
