//! A program that runs something a line and answers with a line of JSON.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::run::Failed;

/// One that is running; it ends when it is dropped, for it then reads the end of its input.
pub(super) struct Child {
    name: String,
    child: std::process::Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) seconds: f64,
    pub(super) pairs: u64,
    pub(super) bytes: u64,
}

impl Child {
    /// Starts it and waits until it says that it is ready; gives what it says, too.
    pub(super) fn start(program: &Path, arguments: &[&str]) -> Result<(Self, Value), Failed> {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let broken = |what: &str| Failed::new(format!("`{name}` {what}"));
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| broken(&format!("cannot be started: {error}")))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(broken("has no pipes"));
        };
        let mut child =
            Self { name: name.clone(), child, input: Some(input), output: BufReader::new(output) };
        loop {
            let said = child.answer()?;
            if said["what"] == "ready" {
                return Ok((child, said));
            }
        }
    }

    /// Has it run something.
    pub(super) fn run(&mut self, what: &str) -> Result<Run, Failed> {
        let told = self.input.as_mut().map(|input| writeln!(input, "{what}").and_then(|()| input.flush()));
        if !matches!(told, Some(Ok(()))) {
            return Err(self.broken("does not listen any more"));
        }
        let said = self.answer()?;
        let run = || {
            let (seconds, pairs) = (said["seconds"].as_f64()?, said["pairs"].as_u64()?);
            Some(Run { seconds, pairs, bytes: said["bytes"].as_u64()? })
        };
        run().ok_or_else(|| self.broken("answers in another shape"))
    }

    fn answer(&mut self) -> Result<Value, Failed> {
        let mut line = String::new();
        match self.output.read_line(&mut line) {
            Ok(0) | Err(_) => Err(self.broken("ended")),
            Ok(_) => serde_json::from_str(&line).map_err(|_| self.broken("does not answer in JSON")),
        }
    }

    fn broken(&self, what: &str) -> Failed {
        Failed::new(format!("`{}` {what}; what it printed above says why", self.name))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.input = None;
        // It ends on its own now; how does not matter any more.
        let _ = self.child.wait();
    }
}
