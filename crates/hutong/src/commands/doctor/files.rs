//! The key file, the data directory, the disk beneath.

use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use store::{MasterKey, Store};

use super::Finding;
use crate::config::Config;
use crate::failure::Failure;

/// The bits of the group and of all others.
const OTHERS: u32 = 0o077;

/// A day of a busy server fits into it, so that somebody hears of it in time.
const FREE_BYTES_LOW: u64 = 1 << 30;

pub(super) fn look(config: &Config) -> Vec<Finding> {
    let key = config.key_file();
    let data = absolute(&config.data);
    vec![
        key_file(&key, &config.data, config.database.is_some()),
        key_place(&absolute(&key), &data),
        backup(&key),
        directory(&data),
        space(&data),
    ]
}

fn absolute(path: &Path) -> PathBuf {
    // What is there is compared by where it really lies, whatever links lead to it.
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

fn key_file(key: &Path, data: &Path, database: bool) -> Finding {
    let check = "key-file";
    match std::fs::metadata(key) {
        Err(error) if error.kind() == ErrorKind::NotFound && !Store::exists_in(data) && !database => {
            Finding::fine(check, "the first start makes it")
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Finding::wrong(
            check,
            format!("{} is not there", key.display()),
            "without it what is stored cannot be read, and the servers do not start",
            "Put it back from its backup, or name its place with keys.file.",
        ),
        Err(error) => Finding::wrong(
            check,
            format!("{} cannot be looked at: {error}", key.display()),
            "the servers cannot read it either",
            "Give the servers' user the right to read it and its directory.",
        ),
        Ok(about) if about.permissions().mode() & OTHERS != 0 => Finding::wrong(
            check,
            format!("{} may be read by others", key.display()),
            "whoever has it and the data reads every number, and the servers refuse to start",
            format!("Run: chmod 600 {}", key.display()),
        ),
        Ok(_) => match MasterKey::in_file(key).load(false, &crate::world::system()) {
            Ok(()) => Finding::fine(check, format!("{} is its owner's alone", key.display())),
            // The sentence says what is wrong and how to mend it.
            Err(error) => Finding::wrong(
                check,
                Failure::user("it cannot be used").because(&error).sentence(),
                "the servers do not start with it",
                format!("Do what the sentence says; 'hutong keys status' says how {} stands.", key.display()),
            ),
        },
    }
}

fn key_place(key: &Path, data: &Path) -> Finding {
    let check = "key-file-place";
    if !key.starts_with(data) {
        return Finding::fine(check, "it lies outside of the data directory");
    }
    Finding::wrong(
        check,
        format!("{} lies in the data directory", key.display()),
        "each copy of the data then carries what unlocks it",
        "Stop the servers, move it out of there, and name its new place with keys.file.",
    )
}

fn backup(key: &Path) -> Finding {
    let check = "key-file-backup";
    if !key.exists() {
        return Finding::fine(check, "there is nothing to back up yet");
    }
    Finding::advice(
        check,
        "nobody but you knows whether the key file has a backup",
        "data without its key file is lost, and a backup of both in one place is open to whoever finds it",
        format!("Keep a copy of {} apart from the backups of the data.", key.display()),
    )
}

fn directory(data: &Path) -> Finding {
    let check = "data-directory";
    // One that is not there yet is made at the first start, in one that must be there.
    let there = data.ancestors().find(|path| path.exists()).unwrap_or(data);
    let about = match std::fs::metadata(there) {
        Ok(about) => about,
        Err(error) => {
            return Finding::wrong(
                check,
                format!("{} cannot be looked at: {error}", there.display()),
                "the servers cannot start",
                "Give the servers' user rights on it.",
            );
        }
    };
    if !about.is_dir() {
        return Finding::wrong(
            check,
            format!("{} is no directory", there.display()),
            "the servers cannot start",
            "Set data to another place.",
        );
    }
    if tempfile::tempfile_in(there).is_err() {
        return Finding::wrong(
            check,
            format!("{} cannot be written by this user", there.display()),
            "the servers cannot start as this user",
            format!("Run this as the servers' user, or: chown {} to it", there.display()),
        );
    }
    if there == data && about.mode() & OTHERS != 0 {
        return Finding::wrong(
            check,
            format!("{} may be entered by others", data.display()),
            "who has how many friends and orders is nobody else's business, sealed or not",
            format!("Run: chmod 700 {}", data.display()),
        );
    }
    Finding::fine(check, format!("{} can be written", there.display()))
}

fn space(data: &Path) -> Finding {
    let check = "disk-space";
    let there = data.ancestors().find(|path| path.exists()).unwrap_or(data);
    match rustix::fs::statvfs(there) {
        Ok(about) => judge_space(check, about.f_bavail.saturating_mul(about.f_frsize)),
        Err(error) => Finding::advice(
            check,
            format!("the free space of {} cannot be told: {error}", there.display()),
            "a full disk stops all writing",
            "Look with: df -h",
        ),
    }
}

fn judge_space(check: &'static str, free: u64) -> Finding {
    let free_mib = free >> 20;
    if free >= FREE_BYTES_LOW {
        return Finding::fine(check, format!("{free_mib} MiB are free"));
    }
    Finding::wrong(
        check,
        format!("only {free_mib} MiB are free"),
        "a full disk stops all writing: orders are refused",
        "Free some space, or move the data directory to a larger disk.",
    )
}

#[cfg(test)]
mod tests {
    use super::super::Weight;
    use super::*;

    #[test]
    fn a_disk_that_is_nearly_full_is_found() {
        assert_eq!(judge_space("disk-space", FREE_BYTES_LOW - 1).weight, Weight::Wrong);
        assert_eq!(judge_space("disk-space", FREE_BYTES_LOW).weight, Weight::Fine);
    }
}
