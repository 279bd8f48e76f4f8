//! `terminal backup` and `terminal restore`: address-book files, kept where only their owner can read them.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use domain::world::World;
use serde_json::json;
use terminal::backup::{self, BackUpError, Kept, Phrase, RestoreError};
use terminal::server::BackupServer;

use super::prompt::{ask_secret, say};
use super::scan::read_limited;
use super::session::{Session, memory_failure, server_failure};
use crate::failure::Failure;

/// Where the phrase is taken from, for whoever cannot be asked.
const PHRASE_VARIABLE: &str = "HUTONG_TERMINAL_PHRASE";

pub(super) async fn back_up(
    session: &Session,
    files: &[PathBuf],
    new_phrase: bool,
    world: &World,
) -> Result<(), Failure> {
    let files = files.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let client = session.client()?;
    let first = BackupServer::backup(&client).await.map_err(server_failure)?.is_none();
    let made = new_phrase || (first && std::env::var_os(PHRASE_VARIABLE).is_none());
    let phrase = if made { Phrase::make(world) } else { ask_phrase()? };
    let count = files.len();
    let done = backup::back_up(&client, &session.memory, files, &phrase, new_phrase, world).await;
    let (serial, size_bytes) = done.map_err(back_up_failure)?;
    let shown = json!({
        "backup": serial, "files": count, "size_bytes": size_bytes, "phrase": made.then(|| phrase.words()),
    });
    session.print(&shown, |_| {
        let kept = format!("Backup number {serial}: {count} files, {size_bytes} bytes encrypted.\n");
        if !made {
            return kept;
        }
        let words = phrase.words();
        format!(
            "{kept}Write these twelve words down; nobody can open the backup without them:\n\n  {words}\n\n"
        )
    })
}

pub(super) async fn restore(session: &Session, into: &Path, old_too: bool) -> Result<(), Failure> {
    let client = session.client()?;
    let phrase = ask_phrase()?;
    let backup =
        backup::restore(&client, &session.memory, &phrase, old_too).await.map_err(restore_failure)?;
    std::fs::create_dir_all(into)
        .map_err(|error| Failure::user(format!("{} cannot be made", into.display())).because(&error))?;
    // All are looked at before the first is written.
    if let Some(taken) = backup.files.iter().map(|file| into.join(&file.name)).find(|path| path.exists()) {
        return Err(Failure::user(format!("{} is there already; nothing was written", taken.display()))
            .hint("Name an empty folder with --into."));
    }
    for file in &backup.files {
        write(&into.join(&file.name), &file.bytes)?;
    }
    let names: Vec<_> = backup.files.iter().map(|file| file.name.as_str()).collect();
    session.print(&json!({ "backup": backup.serial, "files": names }), |_| {
        format!("Backup number {}: {} files restored.\n", backup.serial, names.len())
    })
}

fn read(path: &Path) -> Result<Kept, Failure> {
    let unreadable = || Failure::user(format!("{} cannot be read", path.display()));
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(unreadable)?;
    let bytes = read_limited(path).map_err(|error| unreadable().because(&error))?;
    Ok(Kept { name: name.to_owned(), bytes })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|error| Failure::user(format!("{} cannot be written", path.display())).because(&error))
}

fn ask_phrase() -> Result<Phrase, Failure> {
    let words = match std::env::var(PHRASE_VARIABLE) {
        Ok(words) => words,
        Err(_) => ask_secret("Recovery phrase:")?,
    };
    Phrase::parse(&words).map_err(|error| Failure::user(error.to_string()))
}

fn back_up_failure(error: BackUpError) -> Failure {
    match error {
        BackUpError::Server(error) => server_failure(error),
        BackUpError::Memory(error) => {
            say("The backup was made all the same.");
            memory_failure(error)
        }
        BackUpError::Present(_) => Failure::user("nothing was backed up").because(&error).hint(
            "Use the phrase that the present backup was made with; --new-phrase gives that backup up and begins anew.",
        ),
        BackUpError::Seal(_) => Failure::user("nothing was backed up").because(&error),
    }
}

fn restore_failure(error: RestoreError) -> Failure {
    match error {
        RestoreError::Server(error) => server_failure(error),
        RestoreError::Memory(error) => memory_failure(error),
        RestoreError::Old { .. } => Failure::user("nothing was restored")
            .because(&error)
            .hint("Ask the operator why; --old-too takes it all the same."),
        RestoreError::None | RestoreError::Open(_) => Failure::user("nothing was restored").because(&error),
    }
}
