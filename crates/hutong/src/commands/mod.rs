//! What each command does: one command, one file.

#[cfg(feature = "server")]
pub(crate) mod check;
#[cfg(all(feature = "server", feature = "terminal"))]
pub(crate) mod demo;
#[cfg(feature = "server")]
pub(crate) mod doctor;
pub(crate) mod limits;
#[cfg(feature = "server")]
pub(crate) mod matching;
pub(crate) mod numbers;
#[cfg(feature = "server")]
pub(crate) mod openapi;
#[cfg(feature = "server")]
pub(crate) mod seed;
#[cfg(feature = "server")]
pub(crate) mod serve;
#[cfg(feature = "server")]
pub(crate) mod smsc;
#[cfg(feature = "terminal")]
pub(crate) mod terminal;

use crate::cli::Command;
use crate::failure::Failure;

/// Carries out a command.
///
/// # Errors
/// The command's [`Failure`].
pub(crate) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        #[cfg(all(feature = "server", feature = "terminal"))]
        Command::Demo(args) => demo::run(args).await,
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::run(args).await,
        #[cfg(feature = "server")]
        Command::Seed(args) => seed::run(args).await,
        #[cfg(feature = "server")]
        Command::Check(args) => check::run(args).await,
        #[cfg(feature = "server")]
        Command::Match(args) => matching::run(&args),
        Command::Numbers(args) => numbers::run(&args),
        #[cfg(feature = "terminal")]
        Command::Terminal(args) => terminal::run(args).await,
        #[cfg(feature = "server")]
        Command::Smsc(args) => smsc::run(args).await,
        Command::Limits(args) => limits::run(&args),
        #[cfg(feature = "server")]
        Command::Openapi(args) => openapi::run(&args),
        #[cfg(feature = "server")]
        Command::Doctor(args) => doctor::run(args).await,
    }
}

/// Waits for Ctrl-C or the signal that service managers send.
#[cfg(feature = "server")]
pub(crate) async fn stop_wanted() {
    #[cfg(unix)]
    {
        let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        else {
            return interrupted().await;
        };
        tokio::select! {
            () = interrupted() => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupted().await;
}

#[cfg(feature = "server")]
async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        // Without the signal the process ends only when it is killed, which it survives as well.
        tracing::warn!(error = %error, "Ctrl-C cannot be heard");
        std::future::pending::<()>().await;
    }
}
