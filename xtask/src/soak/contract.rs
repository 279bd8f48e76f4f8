//! `cargo xtask soak contract [--examples N] [--seed S]`: the contract with many examples, from new dice each time.

use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::option;
use crate::contract;
use crate::run::Failed;

/// Examples a call when not said.
const EXAMPLES: u32 = 1_000;

/// Tries the contract, and says with which seed it can be tried so again.
pub(super) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let examples = option(arguments, "--examples")?.unwrap_or(EXAMPLES.into());
    #[allow(clippy::disallowed_methods, reason = "a new seed each time is what is wanted")]
    let fresh = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let seed = option(arguments, "--seed")?.unwrap_or_else(fresh);
    let examples = u32::try_from(examples).map_err(|_| Failed::new("--examples is too large"))?;
    let began = Instant::now();
    let outcome = contract::run(root, examples, seed);
    println!(
        "soak contract: {examples} examples a call, seed {seed}, {:.0} s, {}",
        began.elapsed().as_secs_f64(),
        if outcome.is_ok() { "0 violations" } else { "violations above" }
    );
    outcome
}
