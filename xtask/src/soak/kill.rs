//! `cargo xtask soak kill --rounds N [--seed S]`: `kill -9` at random moments under a mixed load.

use std::path::Path;

use crate::run::{Failed, cargo};

const USAGE: &str = "usage: cargo xtask soak kill [--rounds N] [--seed S]";

/// Runs the kill test for as many rounds as asked for; it prints what was acknowledged and what was violated.
pub(super) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let (rounds, seed) = read(arguments).ok_or_else(|| Failed::new(USAGE))?;
    let test = "crash::kill::nothing_acknowledged_is_lost_or_doubled_or_stuck_over_kill_9_at_random_moments";
    // Not nextest: it ends what runs for long.
    let arguments = [
        "test",
        "--package",
        "hutong",
        "--all-features",
        "--test",
        "it",
        "--",
        "--exact",
        test,
        "--nocapture",
    ];
    let mut run = cargo(root, &arguments).with("HUTONG_KILL_ROUNDS", &rounds.to_string());
    if let Some(seed) = seed {
        run = run.with("HUTONG_KILL_SEED", &seed.to_string());
    }
    run.run()
}

fn read(arguments: &[&str]) -> Option<(u32, Option<u64>)> {
    let (mut rounds, mut seed) = (1_000, None);
    for pair in arguments.chunks(2) {
        match pair {
            ["--rounds", count] => rounds = count.parse().ok().filter(|count| *count > 0)?,
            ["--seed", value] => seed = Some(value.parse().ok()?),
            _ => return None,
        }
    }
    Some((rounds, seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_and_seed_are_read_and_anything_else_is_refused() {
        assert_eq!(read(&[]), Some((1_000, None)));
        assert_eq!(read(&["--seed", "7", "--rounds", "50"]), Some((50, Some(7))));
        for wrong in [&["--rounds"][..], &["--rounds", "0"], &["--rounds", "x"], &["--fast", "1"]] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
