//! The fuzzer: every parser of outside bytes, from its kept corpus, for so many seconds each.
//!
//! The programs are those of `fuzz/`, which `cargo fuzz` runs too. They are built here with the flags that it
//! would give, without a sanitizer: all of our code forbids `unsafe`, so that what is looked for are panics,
//! broken properties, hangs and memory that grows, and these need none; and a stable toolchain is enough.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::house;
use crate::run::{Failed, cargo, program};

/// What libFuzzer needs of the compiler: counters of each edge, their places, and what is compared with what.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// Programs that run side by side.
const SIDE_BY_SIDE: usize = 2;

/// How a run goes.
pub(crate) struct Plan<'a> {
    /// Seconds for each target.
    pub(crate) seconds_each: u64,
    /// This target alone.
    pub(crate) only: Option<&'a str>,
    /// Whether what is new to the kept corpus is kept, in its smallest form.
    pub(crate) keep: bool,
    /// The dice of each target; others each time where there is none.
    pub(crate) seed: Option<u32>,
}

/// What one target came to.
struct Outcome {
    target: String,
    inputs: u64,
    fault: Option<String>,
}

/// Fuzzes, and says how many inputs were tried; fails when any broke something.
pub(crate) fn run(root: &Path, plan: &Plan<'_>) -> Result<u64, Failed> {
    let programs = build(root)?;
    let targets = targets(root, plan.only)?;
    let (queue, done) = (Mutex::new(VecDeque::from(targets)), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(target) = next else { return };
                    let outcome = fuzz(root, &programs, &target, plan);
                    let fault = if outcome.fault.is_some() { "  BROKEN" } else { "" };
                    println!("{:>12} inputs  {target}{fault}", outcome.inputs);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let broken: Vec<&str> =
        done.iter().filter(|one| one.fault.is_some()).map(|one| one.target.as_str()).collect();
    for fault in done.iter().filter_map(|one| one.fault.as_deref()) {
        println!("{fault}");
    }
    if broken.is_empty() {
        return Ok(done.iter().map(|one| one.inputs).sum());
    }
    Err(Failed::new(format!(
        "broken: {}; mend it, and keep the input that is named above in fuzz/corpus/<target>/",
        broken.join(", ")
    )))
}

fn build(root: &Path) -> Result<PathBuf, Failed> {
    let told = program("rustc", &["-vV"]).read()?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or_else(|| Failed::new("rustc does not say for which machine it compiles"))?;
    let directory = house::target(root).join("fuzz");
    let manifest = root.join("fuzz").join("Cargo.toml");
    // With a target named, the flags are for the programs and not for what builds them.
    let arguments = [
        "build",
        "--quiet",
        "--release",
        "--locked",
        "--bins",
        "--target",
        host,
        "--manifest-path",
        &manifest.to_string_lossy(),
        "--target-dir",
        &directory.to_string_lossy(),
    ];
    cargo(root, &arguments).with("RUSTFLAGS", FLAGS).run()?;
    Ok(directory.join(host).join("release"))
}

/// The targets: those that have a corpus.
fn targets(root: &Path, only: Option<&str>) -> Result<Vec<String>, Failed> {
    let corpus = root.join("fuzz").join("corpus");
    let failed = |error: std::io::Error| Failed::new(format!("{}: {error}", corpus.display()));
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(&corpus).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if only.is_none_or(|only| only == name) {
            targets.push(name);
        }
    }
    targets.sort_unstable();
    if targets.is_empty() {
        Err(Failed::new("there is no target of that name in fuzz/corpus"))
    } else {
        Ok(targets)
    }
}

fn fuzz(root: &Path, programs: &Path, target: &str, plan: &Plan<'_>) -> Outcome {
    let kept = root.join("fuzz").join("corpus").join(target);
    let work = house::target(root).join("fuzz").join("runs").join(target);
    let broken = |fault: String| Outcome { target: target.to_owned(), inputs: 0, fault: Some(fault) };
    // Inputs of an older run may be of an older shape.
    let _ = std::fs::remove_dir_all(&work);
    let (found, new) = (work.join("broken"), work.join("new"));
    if let Err(error) = std::fs::create_dir_all(&found).and_then(|()| std::fs::create_dir_all(&new)) {
        return broken(format!("{}: {error}", work.display()));
    }
    let arguments = [
        format!("-max_total_time={}", plan.seconds_each),
        "-timeout=10".to_owned(),
        "-rss_limit_mb=2048".to_owned(),
        "-print_final_stats=1".to_owned(),
        format!("-artifact_prefix={}/", found.display()),
    ];
    let seed = plan.seed.map(|seed| format!("-seed={seed}"));
    let mut command = Command::new(programs.join(target));
    command.args(arguments).args(seed).args([&new, &kept]).stdin(Stdio::null());
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => return broken(format!("{target} cannot be started: {error}")),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last: Vec<&str> = said.lines().rev().take(40).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        return broken(format!("--- {target}\n{}", last.join("\n")));
    }
    let inputs = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let inputs = inputs.and_then(|count| count.trim().parse().ok()).unwrap_or(0);
    if plan.keep {
        let _ = Command::new(programs.join(target)).arg("-merge=1").args([&kept, &new]).output();
    }
    Outcome { target: target.to_owned(), inputs, fault: None }
}
