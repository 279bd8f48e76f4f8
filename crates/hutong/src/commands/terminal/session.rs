//! Who this terminal is: its memory, its client, and how it prints.

use std::io::Write;
use std::path::PathBuf;

use api::Code;
use api::client::{Client, ClientError};
use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};
use serde::Serialize;
use terminal::memory::{FileMemory, Memory, MemoryError};
use terminal::state::State;

use crate::failure::Failure;

/// Where a first-time user's own server most likely is.
const SERVER_DEFAULT: &str = "http://127.0.0.1:8080";

pub(super) struct Session {
    pub(super) memory: FileMemory,
    pub(super) state: State,
    server: String,
    json: bool,
}

impl Session {
    /// Reads what this terminal remembers; the address given wins over the remembered one.
    pub(super) fn open(server: Option<String>, file: Option<PathBuf>, json: bool) -> Result<Self, Failure> {
        let file = match file {
            Some(file) => file,
            None => default_file()?,
        };
        let memory = FileMemory::at(file);
        let state = memory.load().map_err(memory_failure)?;
        let server = server.or_else(|| state.server.clone()).unwrap_or_else(|| SERVER_DEFAULT.to_owned());
        Ok(Self { memory, state, server, json })
    }

    /// A client that is nobody yet.
    pub(super) fn stranger(&self) -> Result<Client, Failure> {
        Client::new(&self.server).map_err(server_failure)
    }

    /// A client that shows this terminal's token; a token never goes to another server than its own.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let stranger = self.stranger()?;
        // Both addresses as the client writes them: people type one with and without its last slash.
        let own = self.state.server.as_deref() == Some(stranger.server_url());
        let token = self.state.token.as_deref().filter(|_| own).ok_or_else(|| {
            Failure::user(format!("this terminal is not signed in at {}", self.server))
                .hint("Sign in first: hutong terminal login YOUR_NUMBER")
        })?;
        Ok(stranger.with_token(token))
    }

    /// Prints data: as JSON when asked, else as the lines that `lines` makes of it.
    pub(super) fn print<T: Serialize>(
        &self,
        data: &T,
        lines: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let text =
            if self.json { serde_json::to_string(data).unwrap_or_default() + "\n" } else { lines(data) };
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::stdout(&error))
    }
}

fn default_file() -> Result<PathBuf, Failure> {
    let names = AppStrategyArgs { app_name: "hutong".to_owned(), ..AppStrategyArgs::default() };
    let strategy = choose_app_strategy(names).map_err(|error| {
        Failure::user("there is no home directory to remember in")
            .because(&error)
            .hint("Name a file with --state.")
    })?;
    Ok(strategy.config_dir().join("terminal.json"))
}

/// A failure of the memory.
pub(super) fn memory_failure(error: MemoryError) -> Failure {
    Failure::user("this terminal cannot remember").because(&error)
}

/// A failure of the server, with what to do about it.
pub(super) fn server_failure(error: ClientError) -> Failure {
    match (&error, error.code()) {
        (_, Some(Code::AuthInvalid | Code::AuthMissing)) => {
            Failure::user("the server does not know this terminal any more")
                .hint("Sign in again: hutong terminal login YOUR_NUMBER")
        }
        (ClientError::Problem { problem, .. }, _) => {
            let mut failure = if problem.status >= 500 {
                Failure::remote(problem.detail.clone())
            } else {
                Failure::user(problem.detail.clone())
            };
            for fault in &problem.fields {
                failure = failure.because_of(format!("{}: {}", fault.field, fault.detail));
            }
            failure.hint(format!("The problem's code is {}; request {}.", problem.code, problem.request_id))
        }
        (ClientError::Address | ClientError::Unsendable(_) | ClientError::Setup(_), _) => {
            Failure::user(error.to_string())
        }
        _ => Failure::remote("the server did not do it").because(&error),
    }
}
