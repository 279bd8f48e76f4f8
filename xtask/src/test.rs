//! `cargo xtask test`: everything that must hold, each step with its time; all faults at once.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::postgres::Cluster;
use crate::run::{Failed, cargo, program};

/// Libraries that the terminal alone must not link: servers, databases, and what only they need.
const NOT_IN_TERMINAL: &[&str] = &["axum", "parquet", "rusqlite", "tokio-postgres"];

/// The features of the terminal alone.
const TERMINAL: &[&str] = &["-p", "hutong", "--no-default-features", "--features", "terminal"];

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
    let doc = ["test", "--workspace", "--all-features", "--doc", "--quiet"];
    steps.step("documentation tests", || cargo(root, &doc).run());
    steps.step("terminal alone", || terminal_alone(root));
    steps.step("contract", || crate::contract::run(root, crate::contract::EXAMPLES, crate::contract::SEED));
    let demo = ["run", "--release", "--quiet", "--package", "hutong", "--", "demo", "--once"];
    steps.step("demo", || cargo(root, &demo).run());
    steps.step("a release without fail points", || without_fail_points(root));
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

/// The program that the demo was just played with knows nothing of the file that arms a fail point.
fn without_fail_points(root: &Path) -> Result<(), Failed> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let program = target.join("release/hutong");
    let bytes = std::fs::read(&program)
        .map_err(|error| Failed::new(format!("{} cannot be read: {error}", program.display())))?;
    if knows(&bytes, b"FAILPOINT_FILE") { Err(Failed::new("the release has fail points")) } else { Ok(()) }
}

fn knows(program: &[u8], word: &[u8]) -> bool {
    program.windows(word.len()).any(|window| window == word)
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
    fn a_database_below_the_terminal_is_found_and_a_longer_name_is_not() {
        assert_eq!(linked_but_unwanted("hutong v0.1.0\nrusqlite v0.41.1\naxum-core v0.5.0"), ["rusqlite"]);
        assert!(linked_but_unwanted("hutong v0.1.0\nreqwest v0.13.5").is_empty());
    }

    #[test]
    fn a_word_anywhere_in_a_program_is_found() {
        assert!(knows(b"..FAILPOINT_FILE", b"FAILPOINT_FILE"));
        assert!(!knows(b"FAILPOINT_FIL", b"FAILPOINT_FILE"));
    }

    #[test]
    fn one_fault_among_the_steps_fails_the_whole_and_is_named() {
        let mut steps = Steps(Vec::new());
        steps.step("first", || Err(Failed::new("broken")));
        steps.step("second", || Ok(()));
        assert_eq!(steps.finish().unwrap_err().to_string(), "failed: first");
    }
}
