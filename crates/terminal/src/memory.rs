//! Where a terminal's [`State`] lies: a port, and the file that serves it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::state::State;

/// Keeps the state; a save is whole or not at all.
pub trait Memory: Sync {
    /// What was saved last; the empty state before the first save.
    ///
    /// # Errors
    /// [`MemoryError`] when it cannot be read or is damaged.
    fn load(&self) -> Result<State, MemoryError>;

    /// Replaces it.
    ///
    /// # Errors
    /// [`MemoryError`] when it cannot be written; the old state is then still there.
    fn save(&self, state: &State) -> Result<(), MemoryError>;
}

/// Why the state cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The file cannot be read.
    #[error("what this terminal remembers cannot be read from {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The file is not ours, or damaged.
    #[error("{path} is damaged (line {line}); move it away and sign in again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where; the content is not quoted, it may be a number.
        line: usize,
    },
    /// The file cannot be written.
    #[error("what this terminal remembers cannot be written to {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Changes one thing of the state as it is now: another terminal of the same person may have changed others.
pub(crate) fn remember(memory: &impl Memory, change: impl FnOnce(&mut State)) -> Result<(), MemoryError> {
    let mut state = memory.load()?;
    change(&mut state);
    memory.save(&state)
}

/// A file with owner-only rights, replaced by renaming a finished one over it.
#[derive(Debug, Clone)]
pub struct FileMemory {
    path: PathBuf,
}

impl FileMemory {
    /// Remembers in a file; its directory is made at the first save.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let folder =
            self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        // Two terminals of one person must not write into the same unfinished file.
        let unfinished = self.path.with_extension(format!("{}.new", std::process::id()));
        let written = owner_only(&unfinished).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        let replaced = written.and_then(|()| fs::rename(&unfinished, &self.path));
        if replaced.is_err() {
            // The first fault is the one to report.
            let _ = fs::remove_file(&unfinished);
        }
        replaced?;
        // The rename itself must survive a power cut; where directories cannot be synced, nothing is lost but that.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Memory for FileMemory {
    fn load(&self) -> Result<State, MemoryError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::default()),
            Err(source) => return Err(MemoryError::Read { path: self.path.clone(), source }),
        };
        serde_json::from_slice(&bytes)
            .map_err(|error| MemoryError::Damaged { path: self.path.clone(), line: error.line() })
    }

    fn save(&self, state: &State) -> Result<(), MemoryError> {
        let failed = |source| MemoryError::Write { path: self.path.clone(), source };
        let bytes = serde_json::to_vec_pretty(state).map_err(|error| failed(error.into()))?;
        self.write(&bytes).map_err(failed)
    }
}

fn owner_only(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_made_with_its_folder_and_only_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/state.json");
        let memory = FileMemory::at(&path);
        assert_eq!(memory.load().unwrap(), State::default());
        let state = State { server: Some("http://h".to_owned()), ..State::default() };
        memory.save(&state).unwrap();
        memory.save(&state).unwrap();
        assert_eq!(memory.load().unwrap(), state);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "an unfinished file was left");
    }

    #[test]
    fn a_damaged_file_is_named_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        fs::write(&path, "{\"number\":\"13800000001x\"}").unwrap();
        let error = FileMemory::at(&path).load().unwrap_err();
        assert!(matches!(error, MemoryError::Damaged { line: 1, .. }));
        assert!(!error.to_string().contains("138"));
    }
}
