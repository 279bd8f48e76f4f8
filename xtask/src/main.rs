//! Hutong's own tasks: `cargo xtask test`, `tidy`, `fmt`, `interop`, `bench`, `soak`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to whoever started it")]

mod bench;
mod carddav;
mod contract;
mod fuzz;
mod house;
mod interop;
mod postgres;
mod python;
mod run;
mod soak;
mod telephones;
mod test;
mod tidy;
mod tree;

use std::path::Path;
use std::process::ExitCode;

use run::Failed;

const USAGE: &str = "\
usage: cargo xtask <task>

  test           everything: formatting, clippy, tidy, all tests, the contract, fuzzing, the demo
  tidy           the house rules that no compiler checks
  fmt            formats all sources
  interop        the SMS link against centres and a client of others, the terminal against a CardDAV server and address books
  bench <name>   measures something
  soak <name>    runs something for long
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = match tree::root() {
        Ok(root) => root,
        Err(failed) => return report(&failed),
    };
    let outcome = match words.as_slice() {
        ["test"] => test::run(&root),
        ["tidy"] => tidy(&root),
        ["fmt"] => run::cargo(&root, &["fmt", "--all"]).run(),
        ["interop"] => {
            interop::run(&root).and_then(|()| carddav::run(&root)).and_then(|()| telephones::run(&root))
        }
        ["bench", word, rest @ ..] => match bench::run(&root, word, rest) {
            Some(outcome) => outcome,
            None => return list_benches(),
        },
        ["bench"] => return list_benches(),
        ["soak", word, rest @ ..] => match soak::run(&root, word, rest) {
            Some(outcome) => outcome,
            None => return list_soaks(),
        },
        ["soak"] => return list_soaks(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => report(&failed),
    }
}

fn tidy(root: &Path) -> Result<(), Failed> {
    let violations = tidy::check(root)?;
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        count => Err(Failed::new(format!("{count} house rules are broken; each line above says which"))),
    }
}

fn list_benches() -> ExitCode {
    let known: Vec<_> = bench::BENCHES.iter().map(|bench| (bench.word, bench.what)).collect();
    list("bench", &known)
}

fn list_soaks() -> ExitCode {
    let known: Vec<_> = soak::SOAKS.iter().map(|soak| (soak.word, soak.what)).collect();
    list("soak", &known)
}

fn list(task: &str, known: &[(&str, &str)]) -> ExitCode {
    if known.is_empty() {
        eprintln!("There is nothing to {task} yet.");
    }
    for (name, what) in known {
        eprintln!("cargo xtask {task} {name}: {what}");
    }
    ExitCode::from(2)
}

fn report(failed: &Failed) -> ExitCode {
    eprintln!("Error: {failed}");
    ExitCode::FAILURE
}
