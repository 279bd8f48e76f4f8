//! Whether people can be told apart by how long an answer takes.

use std::path::Path;

use super::Soak;
use crate::run::{Failed, cargo};

/// A release build. The words that follow are probes a kind, and the groups to run; without any, 10,000 of all.
pub(crate) const SOAK: Soak = Soak {
    word: "timing",
    what: "compares answers' times between people who must look the same (Welch's t-test)",
    run,
};

fn run(root: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let run = ["run", "--release", "--package", "hutong", "--example", "timing", "--"];
    cargo(root, &[run.as_slice(), arguments].concat()).run()
}
