//! `cargo xtask soak fuzz [--seconds-each N | --hours H] [--target T] [--keep]`: the fuzzer for as long as one likes.

use std::path::Path;

use super::{option, word};
use crate::fuzz::{self, Plan};
use crate::run::Failed;

/// Seconds for each target when not said.
const SECONDS_EACH: u64 = 120;

/// Fuzzes, and says how long and how much; `--keep` adds what reaches new code to the kept corpus.
pub(super) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let hours = option(arguments, "--hours")?.map(|hours| hours.saturating_mul(3_600));
    let seconds_each = option(arguments, "--seconds-each")?.or(hours).unwrap_or(SECONDS_EACH);
    let seed = word(arguments, "--seed").and_then(|seed| seed.parse().ok());
    let (only, keep) = (word(arguments, "--target"), arguments.contains(&"--keep"));
    let plan = Plan { seconds_each, only, keep, seed };
    let outcome = fuzz::run(root, &plan);
    match &outcome {
        Ok(inputs) => println!("soak fuzz: {seconds_each} s a target, {inputs} inputs, 0 violations"),
        Err(_) => println!("soak fuzz: {seconds_each} s a target, violations above"),
    }
    outcome.map(drop)
}
