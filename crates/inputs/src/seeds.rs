//! Seed files.

/// A fault, of the shape that the reader expects around it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SeedFault {
    place: String,
    problem: String,
}

// The reader stands without ties to the store; the crate around it does not, and would double what a fuzzer builds.
#[allow(dead_code, reason = "what is tried here is not all of the file")]
#[path = "../../platform/src/seed/read.rs"]
mod read;

/// So many digits in a row could be somebody's number.
const DIGITS_TOLD_MAX: usize = 6;

/// The number that a hint writes to show how one is written.
const EXAMPLE: &str = "+8613800000000";

pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match read::read(bytes) {
        Ok(seed) => {
            // What was taken can be taken again: nothing in it depends on when it is read.
            let again = read::read(bytes).map(|again| (again.offerings, again.providers)).ok();
            assert_eq!(again, Some((seed.offerings, seed.providers)));
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused for a reason");
            for SeedFault { place, problem } in &faults {
                assert!(!place.is_empty() && !problem.is_empty());
                // Limits have digits of their own.
                let problem = problem.replace(EXAMPLE, "");
                let repeated = problem
                    .split(|c: char| !c.is_ascii_digit())
                    .find(|digits| digits.len() > DIGITS_TOLD_MAX && text.contains(*digits));
                assert!(repeated.is_none(), "a fault repeats a number: {problem}");
            }
        }
    }
}
