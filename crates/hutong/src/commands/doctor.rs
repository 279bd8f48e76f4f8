//! `hutong doctor`: what is wrong with this installation.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::config::{Config, ConfigArgs, Role};
use crate::failure::Failure;

/// An SMS centre in the same network answers a connection in milliseconds.
const CONNECT_WAIT: Duration = Duration::from_secs(3);

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

/// One thing looked at: what, and what is wrong with it.
type Finding = (String, Result<(), String>);

/// Looks at everything and prints one line each.
///
/// # Errors
/// A [`Failure`] of the configuration, or one without a word when a line says what is wrong.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let config = Config::load(&args.config)?;
    let mut findings: Vec<Finding> = vec![
        ("configuration".to_owned(), Ok(())),
        (format!("listen {}", config.listen), can_listen(config.listen).await),
        (format!("metrics {}", config.metrics), can_listen(config.metrics).await),
        (format!("data {}", config.data.display()), can_write(&config.data)),
        (format!("keys {}", config.key_file().display()), is_private(&config.key_file())),
    ];
    if config.has(Role::Sms) {
        let centre = format!("{}:{}", config.sms.host, config.sms.port);
        findings.push((format!("sms centre {centre}"), can_connect(&centre).await));
    }
    let mut text = String::new();
    for (what, outcome) in &findings {
        text.push_str(&match outcome {
            Ok(()) => format!("ok     {what}\n"),
            Err(why) => format!("WRONG  {what}: {why}\n"),
        });
    }
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))?;
    if findings.iter().all(|(_, outcome)| outcome.is_ok()) { Ok(()) } else { Err(Failure::told()) }
}

async fn can_listen(address: SocketAddr) -> Result<(), String> {
    TcpListener::bind(address)
        .await
        .map(drop)
        .map_err(|error| format!("{error}; stop what runs there, or set another address"))
}

async fn can_connect(centre: &str) -> Result<(), String> {
    match tokio::time::timeout(CONNECT_WAIT, TcpStream::connect(centre)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("{error}; start it, or set sms.host and sms.port")),
        Err(_) => Err("no answer in 3 s; check the address and the firewall".to_owned()),
    }
}

/// A directory that is not there yet is made at the first start, in one that must be there.
fn can_write(data: &Path) -> Result<(), String> {
    let made = std::path::absolute(data).map_err(|error| error.to_string())?;
    let there = made.ancestors().find(|path| path.exists()).unwrap_or(&made);
    let about = std::fs::metadata(there).map_err(|error| error.to_string())?;
    if !about.is_dir() {
        return Err(format!("{} is no directory; set another one", there.display()));
    }
    if about.permissions().readonly() {
        return Err(format!("{} cannot be written; change its rights", there.display()));
    }
    Ok(())
}

#[cfg(unix)]
fn is_private(key: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;

    // The bits of the group and of all others.
    const OTHERS: u32 = 0o077;
    match std::fs::metadata(key) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("{error}; the servers must be able to read it")),
        Ok(about) if about.permissions().mode() & OTHERS != 0 => {
            Err("others than its owner have rights on it; run chmod 600 on it".to_owned())
        }
        Ok(_) => Ok(()),
    }
}

#[cfg(not(unix))]
fn is_private(_key: &Path) -> Result<(), String> {
    Ok(())
}
