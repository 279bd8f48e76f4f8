//! What a command says when it fails, and the exit code it says it with.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

/// Why a command failed: a sentence, its causes, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

/// Who can do something about it; the exit code follows. A wrong use, exit code 2, is clap's to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Everything has been said on stdout already.
    Told,
    /// The person: their files, their input, their configuration.
    User,
    /// Something elsewhere: a server, an SMS centre, a database.
    #[cfg_attr(not(any(feature = "server", feature = "terminal")), allow(dead_code))]
    Remote,
}

#[cfg_attr(not(all(feature = "server", feature = "terminal")), allow(dead_code))]
impl Failure {
    /// A fault of input or configuration: exit code 1.
    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self::of(Kind::User, message)
    }

    /// Trouble with something elsewhere: exit code 70, the `EX_SOFTWARE` of sysexits(3).
    pub(crate) fn remote(message: impl Into<String>) -> Self {
        Self::of(Kind::Remote, message)
    }

    /// Exit code 1 without a word, when what went wrong is part of the data on stdout.
    pub(crate) fn told() -> Self {
        Self::of(Kind::Told, "")
    }

    /// A fault of writing to stdout: nobody reads it any more, as a rule.
    pub(crate) fn stdout(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::told();
        }
        Self::user("the output cannot be written").because(error)
    }

    fn of(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hint: None }
    }

    /// Adds the cause and the causes beneath it.
    pub(crate) fn because(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.causes.push(error.to_string());
            next = error.source();
        }
        // Wrapping errors tend to repeat what they wrap.
        self.causes.dedup();
        self
    }

    /// Adds a cause in words.
    pub(crate) fn because_of(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What is wrong, with its causes, in one line.
    pub(crate) fn sentence(&self) -> String {
        let all: Vec<_> = std::iter::once(&self.message).chain(&self.causes).cloned().collect();
        all.join(": ")
    }

    /// What to do about it.
    pub(crate) fn remedy(&self) -> String {
        self.hint.clone().unwrap_or_default()
    }

    /// Says it on stderr and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if self.kind != Kind::Told {
            // Where stderr is closed there is nobody to tell.
            let _ = std::io::stderr().write_all(self.text().as_bytes());
        }
        match self.kind {
            Kind::Told | Kind::User => ExitCode::from(1),
            Kind::Remote => ExitCode::from(70),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("Error: {}\n", self.message);
        for cause in &self.causes {
            text.push_str(&format!("Caused by: {cause}\n"));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("Hint: {hint}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_error_causes_and_hint_in_this_order() {
        let io = std::io::Error::other("no space left");
        let failure = Failure::user("the file cannot be written").because(&io).hint("Free some space.");
        assert_eq!(
            failure.text(),
            "Error: the file cannot be written\nCaused by: no space left\nHint: Free some space.\n"
        );
    }

    #[test]
    fn a_closed_pipe_is_no_error_worth_a_word() {
        let failure = Failure::stdout(&std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert_eq!(failure.kind, Kind::Told);
    }
}
