//! `hutong store dump`: everything into a file.

use std::fs::File;
use std::io::{BufWriter, Seek};
use std::path::Path;

use crate::commands::opening::look;
use crate::config::Config;
use crate::failure::Failure;

/// Writes the file aside first, readable for its owner alone; it gets its name when it is whole and on the disk.
///
/// # Errors
/// A [`Failure`] that names the file.
pub(super) async fn run(path: &Path, config: &Config) -> Result<(), Failure> {
    let failed = || Failure::user(format!("{} cannot be written", path.display()));
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let aside = tempfile::Builder::new().prefix(".hutong-dump-").suffix(".part").tempfile_in(directory);
    let aside = aside.map_err(|error| failed().because(&error))?;
    let file = aside.reopen().map_err(|error| failed().because(&error))?;
    let anew = move || {
        let mut file: File = file.try_clone()?;
        file.set_len(0)?;
        file.rewind()?;
        Ok(BufWriter::new(file))
    };
    let store = look(config).await;
    let store = store.map_err(|error| Failure::user("the store cannot be opened").because(&error))?;
    let dumped = store.dump(anew).await;
    store.close().await;
    let rows = dumped.map_err(|error| failed().because(&error))?;
    aside
        .as_file()
        .sync_all()
        .and_then(|()| aside.persist(path).map(drop).map_err(|error| error.error))
        .map_err(|error| failed().because(&error))?;
    super::say(&format!(
        "ok: {rows} rows; keep {} beside the key file, without which it is worth nothing\n",
        path.display()
    ))
}
