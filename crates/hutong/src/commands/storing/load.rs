//! `hutong store load`: everything out of a file.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use store::MasterKey;

use crate::commands::opening::open_made;
use crate::config::Config;
use crate::failure::Failure;

/// Reads the file into a new database in one commit.
///
/// # Errors
/// A [`Failure`] that names the file, and the line where one is wrong.
pub(super) async fn run(path: PathBuf, config: &Config) -> Result<(), Failure> {
    let name = path.display().to_string();
    File::open(&path).map_err(|error| Failure::user(format!("{name} cannot be read")).because(&error))?;
    let store = open_made(config).await?;
    let master = MasterKey::in_file(config.key_file());
    let loaded = store.load(master, move || File::open(&path).map(BufReader::new)).await;
    store.close().await;
    let rows = loaded.map_err(|error| {
        Failure::user(format!("{name} was not loaded, and the database is as it was")).because(&error)
    })?;
    super::say(&format!("ok: {rows} rows; 'hutong store check' verifies them\n"))
}
