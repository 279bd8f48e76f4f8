//! What each command does: one command, one file.

#[cfg(feature = "server")]
pub(crate) mod audit;
#[cfg(feature = "server")]
pub(crate) mod charges;
#[cfg(feature = "server")]
pub(crate) mod charging_simulator;
#[cfg(feature = "server")]
pub(crate) mod check;
#[cfg(all(feature = "server", feature = "terminal"))]
pub(crate) mod demo;
#[cfg(feature = "server")]
pub(crate) mod doctor;
#[cfg(feature = "server")]
pub(crate) mod import;
#[cfg(feature = "server")]
pub(crate) mod keys;
pub(crate) mod limits;
#[cfg(feature = "server")]
pub(crate) mod matching;
#[cfg(feature = "server")]
pub(crate) mod number_simulator;
pub(crate) mod numbers;
#[cfg(feature = "server")]
pub(crate) mod openapi;
#[cfg(feature = "server")]
mod opening;
#[cfg(feature = "server")]
mod running;
#[cfg(feature = "server")]
pub(crate) mod seed;
#[cfg(feature = "server")]
pub(crate) mod serve;
#[cfg(feature = "server")]
pub(crate) mod sms;
#[cfg(feature = "server")]
pub(crate) mod smsc;
#[cfg(feature = "server")]
pub(crate) mod storing;
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
        Command::Import(args) => import::run(args).await,
        #[cfg(feature = "server")]
        Command::Check(args) => check::run(args).await,
        #[cfg(feature = "server")]
        Command::Store(args) => storing::run(args).await,
        #[cfg(feature = "server")]
        Command::Charges(args) => charges::run(args).await,
        #[cfg(feature = "server")]
        Command::ChargingSimulator(args) => charging_simulator::run(args).await,
        #[cfg(feature = "server")]
        Command::NumberSimulator(args) => number_simulator::run(args).await,
        #[cfg(feature = "server")]
        Command::Match(args) => matching::run(&args),
        Command::Numbers(args) => numbers::run(&args),
        #[cfg(feature = "terminal")]
        Command::Terminal(args) => terminal::run(args).await,
        #[cfg(feature = "server")]
        Command::Sms(args) => sms::run(args).await,
        #[cfg(feature = "server")]
        Command::Smsc(args) => smsc::run(args).await,
        #[cfg(feature = "server")]
        Command::Keys(args) => keys::run(args).await,
        Command::Limits(args) => limits::run(&args),
        #[cfg(feature = "server")]
        Command::Openapi(args) => openapi::run(&args),
        #[cfg(feature = "server")]
        Command::Audit(args) => audit::run(args).await,
        #[cfg(feature = "server")]
        Command::Doctor(args) => doctor::run(args).await,
    }
}

/// Hears Ctrl-C, and the signal that service managers send, from the call on; resolves at the first. Call
/// it before anything is opened that wants closing.
#[cfg(all(feature = "server", unix))]
pub(crate) fn stop_wanted() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let heard = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    let heard = heard.map(|signal| {
        // Without the signal the process ends only when it is killed, which it survives as well.
        signal.inspect_err(|error| tracing::warn!(error = %error, "a signal to end cannot be heard")).ok()
    });
    async move {
        let waits = heard.into_iter().flatten().map(|mut signal| {
            Box::pin(async move {
                signal.recv().await;
            })
        });
        let waits: Vec<_> = waits.collect();
        if waits.is_empty() {
            return std::future::pending().await;
        }
        futures::future::select_all(waits).await;
    }
}

/// Resolves at Ctrl-C.
#[cfg(all(feature = "server", not(unix)))]
pub(crate) fn stop_wanted() -> impl Future<Output = ()> {
    async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
