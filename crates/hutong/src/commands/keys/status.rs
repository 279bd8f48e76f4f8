//! `hutong keys status`: how the key file stands, without a secret.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use store::{KeyFileError, MasterKey, OpenError, Reign, Store, StoreError};

use crate::commands::opening::look;
use crate::config::{Config, ConfigArgs};
use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What there is to say; what cannot be told is left out.
#[derive(Serialize)]
struct Status {
    file: PathBuf,
    /// Whether it opens the stored data.
    opens: bool,
    /// Whether it, and its place, are its owner's alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    rights_ok: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<jiff::Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotations: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<bool>,
    /// What is wrong and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// Looks beside a running server or without one, and changes nothing.
///
/// # Errors
/// A [`Failure`] without a word when the key file does not open the stored data.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let config = Config::load(&args.config)?;
    let status = examine(&config).await;
    let text =
        if args.json { serde_json::to_string(&status).unwrap_or_default() + "\n" } else { table(&status) };
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))?;
    if status.opens { Ok(()) } else { Err(Failure::told()) }
}

async fn examine(config: &Config) -> Status {
    let file = config.key_file();
    let master = MasterKey::in_file(&file);
    let read = master.load(false, &crate::world::system());
    let mut status = Status {
        file,
        opens: false,
        rights_ok: rights(&read),
        since: None,
        rotations: None,
        unfinished: None,
        fault: None,
    };
    match reign(config).await {
        Ok(reign) => {
            status.opens = true;
            status.since = Some(reign.since);
            status.rotations = Some(reign.rotations);
            status.unfinished = Some(reign.old_seal_stands || master.is_in_exchange());
        }
        Err(error) => {
            status.fault = Some(Failure::user("the stored data cannot be opened").because(&error).sentence());
        }
    }
    status
}

/// `None` when there is no file whose rights could be looked at.
fn rights(read: &Result<(), KeyFileError>) -> Option<bool> {
    match read {
        Ok(()) | Err(KeyFileError::Unreadable(_)) => Some(true),
        Err(
            KeyFileError::OpenToOthers(_)
            | KeyFileError::OfAnother { .. }
            | KeyFileError::PlaceOpenToOthers(_),
        ) => Some(false),
        Err(KeyFileError::Missing(_) | KeyFileError::Io(..)) => None,
    }
}

async fn reign(config: &Config) -> Result<Reign, OpenError> {
    let store: Store = look(config).await?;
    let reign = store.reign().await.map_err(|error: StoreError| OpenError::Store(error));
    store.close().await;
    reign
}

fn table(status: &Status) -> String {
    let yes = |truth: bool| if truth { "yes" } else { "no" };
    let mut lines = vec![
        ("key file", status.file.display().to_string()),
        ("opens the data", yes(status.opens).to_owned()),
    ];
    lines.extend(status.rights_ok.map(|ok| ("its owner's alone", yes(ok).to_owned())));
    lines.extend(status.since.map(|since| ("in force since", since.to_string())));
    lines.extend(status.rotations.map(|count| ("rotations", count.to_string())));
    lines.extend(status.unfinished.map(|unfinished| {
        let text =
            if unfinished { "yes: run 'hutong keys rotate' again, or start the servers anew" } else { "no" };
        ("left unfinished", text.to_owned())
    }));
    lines.extend(status.fault.iter().map(|fault| ("fault", fault.clone())));
    lines.iter().map(|(what, text)| format!("{what:<18} {text}\n")).collect()
}
