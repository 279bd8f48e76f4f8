//! `cargo xtask test`: everything that must hold, each step with its time; all faults at once.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::fuzz::Plan;
use crate::postgres::Cluster;
use crate::run::{Failed, cargo, program};
use crate::tree::{self, Source};
use crate::{carddav, contract, fuzz, house, interop, telephones};

/// Libraries that the terminal alone must not link: servers, databases, and what only they need.
const NOT_IN_TERMINAL: &[&str] = &["axum", "parquet", "rusqlite", "tokio-postgres"];

/// The features of the terminal alone.
const TERMINAL: &[&str] = &["-p", "hutong", "--no-default-features", "--features", "terminal"];

/// Seconds for each parser under the fuzzer.
const FUZZ_SECONDS: u64 = 15;

/// Examples of each call, and the dice that throw them: the same on every run.
const CONTRACT_EXAMPLES: u32 = 100;
const CONTRACT_SEED: u64 = 20_260_101;

/// Where the tests look for their PostgreSQL.
const POSTGRES: &str = "HUTONG_TEST_POSTGRES";

/// One step's name, time, and fault.
struct Done {
    name: &'static str,
    took: Duration,
    fault: Option<Failed>,
}

/// Runs every step, also after a fault, and fails at the end if there was one.
pub(crate) fn run(root: &Path) -> Result<(), Failed> {
    let mut steps = Steps(Vec::new());
    steps.step("formatting", || cargo(root, &["fmt", "--all", "--check"]).run());
    let clippy =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--keep-going", "--", "-D", "warnings"];
    steps.step("clippy", || cargo(root, &clippy).run());
    steps.step("tidy", || crate::tidy(root));
    steps.step("tests", || tests(root));
    steps.step("documentation tests", || documentation_tests(root));
    steps.step("terminal alone", || terminal_alone(root));
    steps.step("contract", || contract::run(root, CONTRACT_EXAMPLES, CONTRACT_SEED));
    steps.step("SMS by others", || interop::run(root));
    steps.step("CardDAV by others", || carddav::run(root));
    steps.step("address books by others", || telephones::run(root));
    // The same dice each time, so that a change is judged by what it changes; the long run throws others.
    let fuzzing = Plan { seconds_each: FUZZ_SECONDS, only: None, keep: false, seed: Some(1) };
    steps.step("fuzzing", || fuzz::run(root, &fuzzing).map(drop));
    // The binary is the one that the tests have built: a release build would take longer than most of the rest.
    steps.step("demo", || program(house::binary(root)?, &["demo", "--once"]).run());
    steps.finish()
}

/// All tests, with a PostgreSQL of their own.
fn tests(root: &Path) -> Result<(), Failed> {
    // Whoever brings a server of their own keeps it.
    let (own, _cluster) = match std::env::var(POSTGRES) {
        Ok(url) => (url, None),
        Err(_) => {
            let cluster = Cluster::start()?;
            (cluster.url(), Some(cluster))
        }
    };
    let arguments: &[&str] = if program("cargo", &["nextest", "--version"]).works() {
        &["nextest", "run", "--workspace", "--all-features", "--no-fail-fast"]
    } else {
        &["test", "--workspace", "--all-features", "--lib", "--bins", "--tests", "--no-fail-fast"]
    };
    cargo(root, arguments).with(POSTGRES, &own).run()
}

/// The examples in the documentation, of the crates that have any: building all the others only to find none
/// takes minutes.
fn documentation_tests(root: &Path) -> Result<(), Failed> {
    let sources = tree::sources(root)?;
    let rooms: BTreeSet<&str> =
        sources.iter().filter(|source| has_example(&source.text)).filter_map(Source::room).collect();
    let mut arguments = vec!["test", "--all-features", "--doc", "--quiet"];
    for room in rooms {
        arguments.extend(["--package", room]);
    }
    cargo(root, &arguments).run()
}

fn has_example(text: &str) -> bool {
    let is_fence =
        |line: &str| ["/// ```", "//! ```"].iter().any(|fence| line.trim_start().starts_with(fence));
    text.lines().any(is_fence)
}

/// House rule 10: the terminal alone builds, and links no HTTP server and no database.
fn terminal_alone(root: &Path) -> Result<(), Failed> {
    let tree = [&["tree", "--edges", "normal", "--prefix", "none", "--quiet"], TERMINAL].concat();
    let linked = linked_but_unwanted(&cargo(root, &tree).read()?);
    if !linked.is_empty() {
        return Err(Failed::new(format!("the terminal alone links {}", linked.join(", "))));
    }
    cargo(root, &[&["clippy"], TERMINAL, &["--", "-D", "warnings"]].concat()).run()
}

fn linked_but_unwanted(tree: &str) -> Vec<&'static str> {
    let linked: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    NOT_IN_TERMINAL.iter().copied().filter(|name| linked.contains(name)).collect()
}

struct Steps(Vec<Done>);

impl Steps {
    fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<(), Failed>) {
        println!("\n=== {name}");
        let start = Instant::now();
        let fault = work().err();
        let took = start.elapsed();
        if let Some(fault) = &fault {
            println!("{fault}");
        }
        println!("=== {name}: {} after {:.1} s", word(fault.is_none()), took.as_secs_f64());
        self.0.push(Done { name, took, fault });
    }

    fn finish(self) -> Result<(), Failed> {
        println!();
        for Done { name, took, fault } in &self.0 {
            println!("{:6} {:6.1} s  {name}", word(fault.is_none()), took.as_secs_f64());
        }
        let total: Duration = self.0.iter().map(|done| done.took).sum();
        println!("{:6} {:6.1} s  in all", "", total.as_secs_f64());
        let faulty: Vec<&str> =
            self.0.iter().filter(|done| done.fault.is_some()).map(|done| done.name).collect();
        if faulty.is_empty() { Ok(()) } else { Err(Failed::new(format!("failed: {}", faulty.join(", ")))) }
    }
}

fn word(fine: bool) -> &'static str {
    if fine { "ok" } else { "FAILED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_in_the_documentation_is_found_and_a_fence_in_a_text_is_not() {
        assert!(has_example("/// Adds.\n    /// ```\n    /// add(1);\n"));
        assert!(!has_example("let text = \"```\";\n/// No example.\n"));
    }

    #[test]
    fn a_database_below_the_terminal_is_found_and_a_longer_name_is_not() {
        assert_eq!(linked_but_unwanted("hutong v0.1.0\nrusqlite v0.41.1\naxum-core v0.5.0"), ["rusqlite"]);
        assert!(linked_but_unwanted("hutong v0.1.0\nreqwest v0.13.5").is_empty());
    }

    #[test]
    fn one_fault_among_the_steps_fails_the_whole_and_is_named() {
        let mut steps = Steps(Vec::new());
        steps.step("first", || Err(Failed::new("broken")));
        steps.step("second", || Ok(()));
        assert_eq!(steps.finish().unwrap_err().to_string(), "failed: first");
    }
}
