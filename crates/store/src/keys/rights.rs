//! Whose the key file is, and who else could read it or put another in its place.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::KeyFileError;
use super::master::directory_of;

/// Everybody but the owner, doing anything.
const OTHERS: u32 = 0o077;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// In such a directory nobody removes or renames what is another's.
const STICKY: u32 = 0o1000;
const ROOT: u32 = 0;

/// Refuses a place that others may write, and a file there that is not this user's alone.
pub(super) fn check(path: &Path) -> Result<(), KeyFileError> {
    let io = |error| KeyFileError::Io(path.to_owned(), error);
    // Where a link leads to is what counts. One that is to be made yet counts where it will be.
    let real = match fs::canonicalize(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        real => real.unwrap_or_else(|_| path.to_owned()),
    };
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let directory = directory_of(&real);
    if let Ok(about) = fs::metadata(directory)
        && others_write(about.mode(), about.gid() == group)
    {
        return Err(KeyFileError::PlaceOpenToOthers(directory.to_owned()));
    }
    let about = match fs::metadata(&real) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(KeyFileError::Missing(path.to_owned()));
        }
        about => about.map_err(io)?,
    };
    if !about.is_file() {
        return Err(io(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")));
    }
    if user != ROOT && about.uid() != user {
        return Err(KeyFileError::OfAnother { path: path.to_owned(), owner: about.uid(), runs_as: user });
    }
    if about.mode() & OTHERS != 0 {
        return Err(KeyFileError::OpenToOthers(path.to_owned()));
    }
    Ok(())
}

/// Many systems give each user a group of their own, which then may write where they may.
fn others_write(mode: u32, own_group: bool) -> bool {
    let others = if own_group { OTHERS_WRITE } else { OTHERS_WRITE | GROUP_WRITES };
    mode & STICKY == 0 && mode & others != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_open_to_others_when_they_may_put_another_file_in_a_files_place() {
        for (mode, own_group, open) in [
            (0o755, true, false),
            (0o700, false, false),
            (0o775, true, false),
            (0o775, false, true),
            (0o777, true, true),
            (0o702, true, true),
            (0o1777, false, false),
        ] {
            assert_eq!(others_write(mode, own_group), open, "{mode:o} {own_group}");
        }
    }
}
