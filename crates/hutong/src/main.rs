//! The one binary of Hutong: the servers, the terminal, and the tools around them.

mod cli;
mod commands;
#[cfg(feature = "server")]
mod config;
mod failure;
#[cfg(feature = "server")]
mod house;
mod telemetry;
#[cfg(any(feature = "server", feature = "terminal"))]
mod world;

use std::process::ExitCode;

use clap::Parser;

use failure::Failure;

fn main() -> ExitCode {
    // clap answers `--help` and `--version` with exit code 0 and a wrong use with 2.
    let cli = cli::Cli::parse();
    telemetry::start_logs();
    install_tls();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// TLS needs one provider in a process; only the first call counts, and this is it.
fn install_tls() {
    #[cfg(any(feature = "server", feature = "terminal"))]
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn run(command: cli::Command) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::user("the run time cannot start").because(&error))?
        .block_on(commands::run(command))
}
