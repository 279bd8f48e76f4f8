//! The file of pairs: there as a whole or not at all.

mod csv;
mod parquet;

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::pairs::Sorted;
use crate::failure::Failure;

/// A file that has its name only once it is complete.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    /// Beside the final one, for a name can be changed within one file system only; gone when dropped.
    temporary: NamedTempFile,
    as_parquet: bool,
}

impl Output {
    /// Begins a file of pairs.
    ///
    /// # Errors
    /// A [`Failure`] when a file of this name cannot be written, or would not be what its name says.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let ends = |ending| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending));
        if ends("gz") {
            return Err(Failure::user(format!("{} would not be what its name says", path.display()))
                .because_of("pairs are written as plain CSV or as Parquet")
                .hint("Name a file that ends in .csv or .parquet, and pack it afterwards."));
        }
        let as_parquet = ends("parquet");
        let mut path = path.to_owned();
        if let Ok(there) = fs::metadata(&path) {
            if !there.is_file() {
                // A device or a directory would be replaced by the file, not written to.
                return Err(Failure::user(format!("{} is no ordinary file", path.display()))
                    .hint("Name a file that --output may replace."));
            }
            path = fs::canonicalize(&path).map_err(|error| unwritten(&path, &error))?;
        }
        let temporary = temporary_beside(&path).map_err(|error| unwritten(&path, &error))?;
        Ok(Self { path, temporary, as_parquet })
    }

    /// The directory it will be in.
    pub(super) fn directory(&self) -> &Path {
        directory_of(&self.path)
    }

    /// Writes the pairs and gives the file its name.
    ///
    /// # Errors
    /// A [`Failure`], after which nothing of it is left.
    pub(super) fn write(mut self, pairs: Sorted) -> Result<(), Failure> {
        let file = self.temporary.as_file_mut();
        let written = if self.as_parquet { parquet::write(file, pairs) } else { csv::write(file, pairs) };
        written.map_err(|error| unwritten(&self.path, error.as_ref()))?;
        // The disk may tell only now that it is full, and the name must not come before the content.
        file.sync_all()
            .and_then(|()| self.temporary.persist(&self.path).map(drop).map_err(|error| error.error))
            .map_err(|error| unwritten(&self.path, &error))
    }
}

/// Why pairs cannot be written: the file, or the disk they come from.
type Broken = Box<dyn Error>;

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hutong-match-").suffix(".part");
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    // Those of any new file, which the umask narrows; a temporary one would be its owner's alone.
    #[cfg(unix)]
    builder.permissions(permissions);
    builder.tempfile_in(directory_of(path))
}

fn unwritten(path: &Path, error: &dyn Error) -> Failure {
    Failure::user(format!("{} cannot be written", path.display())).because(error)
}
