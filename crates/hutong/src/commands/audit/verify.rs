//! `hutong audit verify`: whether the log is the one that was written.

use std::io::Write;
use std::path::{Path, PathBuf};

use store::audit::{Heads, Place};
use store::{Store, StoreError};

use super::{look, unreadable};
use crate::config::ConfigArgs;
use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A file with what `hutong audit head` printed earlier; the log must still hold all of it. May be
    /// given more than once.
    #[arg(long, value_name = "FILE")]
    head: Vec<PathBuf>,
    /// One JSON object instead of a sentence.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What came of it.
#[derive(serde::Serialize)]
struct Report {
    holds: bool,
    rows: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let (config, store) = look(&args.config).await?;
    // Before the log is read: a server beside us may write on, and the heads must not be ahead of it.
    let mut kept = Vec::new();
    for file in &args.head {
        kept.push(read(file).map_err(|what| Failure::user(format!("{} {what}", file.display())))?);
    }
    let own = own_heads(&config.audit_head_file());
    let report = match own {
        Ok(heads) if heads.is_empty() && kept.is_empty() => {
            let read = store.read::<_, StoreError, _>(|view| view.audit().count()).await;
            let rows = read.map_err(|error| unreadable(&error))?;
            if rows > 0 {
                let what = "the file with its heads is gone, so that its end may be missing: give --head";
                fault(0, None, format!("{} ({})", what, config.audit_head_file().display()))
            } else {
                check(&store, kept).await?
            }
        }
        Ok(heads) => {
            kept.extend(heads);
            check(&store, kept).await?
        }
        Err(what) => fault(0, None, what),
    };
    let text = if args.json {
        serde_json::to_string(&report).unwrap_or_default()
    } else if let Some(fault) = &report.fault {
        format!("the audit log does not hold: {fault}; {} rows before it hold", report.rows)
    } else {
        format!("the audit log holds: {} rows", report.rows)
    };
    std::io::stdout().write_all((text + "\n").as_bytes()).map_err(|error| Failure::stdout(&error))?;
    if report.holds { Ok(()) } else { Err(Failure::told()) }
}

async fn check(store: &Store, kept: Vec<Heads>) -> Result<Report, Failure> {
    let checked = store.read::<_, StoreError, _>(move |view| view.audit().verify(&kept)).await;
    Ok(match checked.map_err(|error| unreadable(&error))? {
        Ok(verified) => Report { holds: true, rows: verified.rows, chain: None, row: None, fault: None },
        Err(found) => fault(found.rows, found.place, found.to_string()),
    })
}

fn fault(rows: i64, place: Option<Place>, what: String) -> Report {
    let (chain, row) = (place.map(|place| place.chain), place.map(|place| place.seq));
    Report { holds: false, rows, chain, row, fault: Some(what) }
}

/// The heads beside the key file, and those that a start set aside because the log did not hold them.
fn own_heads(file: &Path) -> Result<Vec<Heads>, String> {
    let files = Store::audit_head_files(file).unwrap_or_default();
    files.iter().map(|file| read(file).map_err(|what| format!("{} {what}", file.display()))).collect()
}

fn read(file: &Path) -> Result<Heads, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))?;
    // What was kept by copying may have lost or gained an end of line.
    Heads::parse(&format!("{}\n", text.trim_end())).map_err(|error| format!("cannot be used: {error}"))
}
