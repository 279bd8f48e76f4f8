//! Long runs: each looks for violations until its time or its rounds are over, prints a summary line, and fails on any.

mod contract;
mod fuzz;
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
        word: "contract",
        what: "Schemathesis with 1,000 examples a call (--examples N, --seed S)",
        run: contract::run,
    },
    Soak {
        word: "fuzz",
        what: "every parser of outside bytes for long (--seconds-each N or --hours H, --target T, --keep)",
        run: fuzz::run,
    },
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

/// The number that follows a flag; `None` when the flag is not there.
fn option(arguments: &[&str], flag: &str) -> Result<Option<u64>, Failed> {
    if !arguments.contains(&flag) {
        return Ok(None);
    }
    let number = word(arguments, flag).and_then(|word| word.parse().ok());
    number.map(Some).ok_or_else(|| Failed::new(format!("{flag} wants a whole number")))
}

/// The word that follows a flag.
fn word<'a>(arguments: &[&'a str], flag: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|word| *word == flag)?;
    arguments.get(at + 1).copied()
}
