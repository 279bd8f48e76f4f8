//! Runs the binary in a directory of its own, with no setting of Hutong in its environment.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// The binary with these arguments.
pub(crate) fn command(arguments: &[&str], directory: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hutong"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HUTONG_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(directory);
    command
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str], input: &[u8]) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    run_in(arguments, input, directory.path())
}

/// Runs it to its end in a directory.
pub(crate) fn run_in(arguments: &[&str], input: &[u8], directory: &std::path::Path) -> Ended {
    let mut child = command(arguments, directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A thread of its own, since a full pipe on either side would stop both.
    let writer = std::thread::spawn(move || {
        // A command that reads no input closes it.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ended::from(output)
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
