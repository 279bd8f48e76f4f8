//! Runs programs and says how they failed.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Why a task failed, in a sentence.
#[derive(Debug)]
pub(crate) struct Failed(String);

impl Failed {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A program to run.
pub(crate) struct Program(Command);

/// Cargo, the one that runs this task, in the workspace's directory.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Program {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut program = program(cargo, arguments).inside(root);
    // What cargo says of this program to this program is read by build scripts too, and would have them run again.
    let of_this = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    for (name, _) in std::env::vars_os() {
        if of_this.iter().any(|start| name.to_string_lossy().starts_with(start)) {
            program.0.env_remove(name);
        }
    }
    program
}

/// Any program.
pub(crate) fn program(name: impl AsRef<OsStr>, arguments: &[&str]) -> Program {
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null());
    Program(command)
}

impl Program {
    pub(crate) fn inside(mut self, directory: &Path) -> Self {
        self.0.current_dir(directory);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it with its output shown.
    pub(crate) fn run(mut self) -> Result<(), Failed> {
        let status = self.0.status().map_err(|error| self.not_started(&error))?;
        if status.success() { Ok(()) } else { Err(Failed::new(format!("`{}`: {status}", self.name()))) }
    }

    /// Runs it and takes what it prints; on failure its last words are in the error.
    pub(crate) fn read(mut self) -> Result<String, Failed> {
        let Output { status, stdout, stderr } = self.0.output().map_err(|error| self.not_started(&error))?;
        if status.success() {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        let words = String::from_utf8_lossy(&stderr);
        Err(Failed::new(format!("`{}`: {status}\n{}", self.name(), words.trim())))
    }

    /// Whether it can be started and ends well.
    pub(crate) fn works(mut self) -> bool {
        self.0.output().is_ok_and(|output| output.status.success())
    }

    fn not_started(&self, error: &std::io::Error) -> Failed {
        Failed::new(format!("`{}` cannot be started: {error}", self.name()))
    }

    fn name(&self) -> String {
        let program = Path::new(self.0.get_program()).file_name().unwrap_or_default().to_string_lossy();
        let arguments = self.0.get_args().map(OsStr::to_string_lossy);
        std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_program_is_named_with_its_last_words() {
        let failed = program("sh", &["-c", "echo out; echo why >&2; exit 3"]).read().unwrap_err();
        assert!(failed.to_string().contains("sh -c") && failed.to_string().ends_with("why"), "{failed}");
        let failed = program("no-such-program", &[]).run().unwrap_err();
        assert!(failed.to_string().contains("`no-such-program` cannot be started"), "{failed}");
    }
}
