//! The key file: made once, whole, and its owner's alone.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::Msisdn;
use domain::world::{SeededDice, SetClock, World};
use store::audit::Actor;
use store::{KeyFileError, MasterKey, OpenError, Store};

pub(crate) fn world(seed: u64) -> World {
    World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(seed)))
}

fn token(path: &Path, may_create: bool, seed: u64) -> String {
    let master = MasterKey::in_file(path);
    master.load(may_create, &world(seed)).unwrap();
    master.operator_token().unwrap()
}

#[test]
fn first_starts_at_the_same_moment_agree_on_one_key_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fresh").join("keys.json");
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|seed| {
                let path = &path;
                scope.spawn(move || token(path, true, seed))
            })
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(tokens.iter().all(|token| *token == tokens[0]), "two processes work under two keys");
    assert_eq!(token(&path, false, 99), tokens[0]);
}

#[test]
fn a_new_key_file_is_its_owners_alone_and_nothing_is_left_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    token(&path, true, 1);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

/// An embedded store under a key file, both in one directory.
pub(crate) struct Installation(tempfile::TempDir, AtomicU64);

impl Installation {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap(), AtomicU64::new(0))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join("keys.json")
    }

    pub(crate) fn open(&self) -> Result<Store, OpenError> {
        // Each start throws other dice.
        let world = world(self.1.fetch_add(1, Ordering::Relaxed));
        Store::open_embedded(&self.0.path().join("data"), &MasterKey::in_file(self.file()), world)
    }

    /// What a number is turned into: the same as long as the keys are the same.
    async fn mark(&self) -> u64 {
        let store = self.open().unwrap();
        let mark = store.keys().contact_key(Msisdn::parse_e164("+8613800138000").unwrap()).value();
        store.close().await;
        mark
    }

    async fn rotate(&self) {
        let store = self.open().unwrap();
        store.rotate_master_key(Actor::Local).await.unwrap();
        store.close().await;
    }

    fn text(&self) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.file()).unwrap()).unwrap()
    }

    fn put(&self, text: &serde_json::Value) {
        std::fs::write(self.file(), text.to_string()).unwrap();
    }
}

#[tokio::test]
async fn after_a_rotation_the_new_file_opens_what_was_stored_and_the_old_one_does_not() {
    let installation = Installation::new();
    let (mark, old) = (installation.mark().await, installation.text());
    installation.rotate().await;
    assert_ne!(installation.text()["secret"], old["secret"]);
    assert_eq!(installation.mark().await, mark);
    let new = installation.text();
    installation.put(&old);
    assert!(matches!(installation.open(), Err(OpenError::WrongKeys(_))));
    installation.put(&new);
    assert_eq!(installation.mark().await, mark);
}

#[tokio::test]
async fn a_rotation_that_was_broken_off_at_any_moment_leaves_a_file_that_opens() {
    let installation = Installation::new();
    let (mark, old) = (installation.mark().await, installation.text());
    // Died before the database had taken it: the file names a secret that nothing was sealed under.
    let mut both = old.clone();
    both["next"] = serde_json::json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    installation.put(&both);
    assert_eq!(installation.mark().await, mark);
    assert_eq!(installation.text(), old, "the secret that never was is gone");
    // Died after that: the file still names the old one first.
    installation.rotate().await;
    let new = installation.text();
    let mut both = old.clone();
    both["next"] = new["secret"].clone();
    installation.put(&both);
    assert_eq!(installation.mark().await, mark);
    assert_eq!(installation.text(), new, "the old secret is gone");
    installation.rotate().await;
    assert_eq!(installation.mark().await, mark);
}

#[tokio::test]
async fn looking_never_changes_the_key_file_not_even_in_the_middle_of_a_rotation() {
    let installation = Installation::new();
    installation.mark().await;
    let mut both = installation.text();
    both["next"] = serde_json::json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    installation.put(&both);
    let data = installation.0.path().join("data");
    let looked = Store::look_embedded(&data, &MasterKey::in_file(installation.file()), world(50)).unwrap();
    assert_eq!(installation.text(), both);
    looked.close().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_the_key_file_is_refused_by_name_and_nothing_is_written() {
    let installation = Installation::new();
    installation.mark().await;
    let good = std::fs::read(installation.file()).unwrap();
    let database = || std::fs::read(installation.0.path().join("data/hutong.sqlite")).unwrap();
    let before = database();
    let refused = |what: &str| {
        let error = installation.open().err().unwrap_or_else(|| panic!("{what} was taken"));
        let text = error.to_string();
        assert!(text.contains("key file") && text.contains("keys.json"), "{what}: {text}");
    };
    for (what, bytes) in [
        ("nothing", &b""[..]),
        ("half of it", &good[..good.len() / 2]),
        ("something else", b"{\"hutong_keys\":2,\"secret\":\"short\"}"),
        ("a later format", b"{\"hutong_keys\":3,\"secret\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
        ("a huge file", &[b' '; 100_000]),
    ] {
        std::fs::write(installation.file(), bytes).unwrap();
        refused(what);
    }
    std::fs::write(installation.file(), &good).unwrap();
    std::fs::set_permissions(installation.file(), PermissionsExt::from_mode(0o644)).unwrap();
    refused("a file that others may read");
    std::fs::remove_file(installation.file()).unwrap();
    refused("no file");
    assert!(!installation.file().exists(), "no new one was made for old data");
    std::fs::create_dir(installation.file()).unwrap();
    refused("a directory");
    std::fs::remove_dir(installation.file()).unwrap();
    std::os::unix::fs::symlink(installation.file(), installation.file()).unwrap();
    refused("a link to itself");
    assert_eq!(database(), before);
}

#[test]
fn a_key_file_where_others_may_put_another_in_its_place_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("open");
    std::fs::create_dir(&place).unwrap();
    let path = place.join("keys.json");
    let mode = |mode| std::fs::set_permissions(&place, PermissionsExt::from_mode(mode)).unwrap();
    let loaded = |may_create| MasterKey::in_file(&path).load(may_create, &world(1));
    mode(0o777);
    assert!(matches!(loaded(true), Err(KeyFileError::PlaceOpenToOthers(named)) if named.ends_with("open")));
    assert!(!path.exists(), "none is made there either");
    mode(0o755);
    loaded(true).unwrap();
    mode(0o757);
    // Through a link, what counts is where the file lies.
    let link = directory.path().join("link.json");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let linked = MasterKey::in_file(&link).load(false, &world(1));
    assert!(matches!(linked, Err(KeyFileError::PlaceOpenToOthers(_))));
    mode(0o1777);
    loaded(false).unwrap();
}

#[tokio::test]
async fn a_rotation_by_root_leaves_the_key_file_to_whom_it_belongs() {
    use std::os::unix::fs::{MetadataExt, chown};
    let installation = Installation::new();
    installation.mark().await;
    let nobody = 65_534;
    if chown(installation.file(), Some(nobody), Some(nobody)).is_err() {
        // Only root can be in this.
        return;
    }
    installation.rotate().await;
    let about = std::fs::metadata(installation.file()).unwrap();
    assert_eq!((about.uid(), about.gid(), about.mode() & 0o777), (nobody, nobody, 0o600));
}

#[tokio::test]
async fn what_a_dead_process_left_of_a_key_file_beside_it_is_gone_after_a_rotation() {
    let installation = Installation::new();
    installation.mark().await;
    let left = installation.file().with_file_name(".keys.json.aside-Xy12Zz");
    let anothers = installation.file().with_file_name(".other.json.aside-Xy12Zz");
    std::fs::write(&left, "a secret").unwrap();
    std::fs::write(&anothers, "not ours").unwrap();
    installation.rotate().await;
    assert!(!left.exists() && anothers.exists());
}

#[tokio::test]
async fn without_its_key_file_a_postgres_database_is_refused_and_no_file_is_made() {
    let Some(bench) = crate::backends::Bench::postgres("key_file").await else { return };
    let url = bench.url.clone().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys.json");
    let opened = Store::open_postgres(&url, &MasterKey::in_file(&file), world(1)).await;
    assert!(matches!(opened, Err(OpenError::KeyFile(KeyFileError::Missing(_)))));
    assert!(!file.exists());
    let wrong = Store::open_postgres(&url, &MasterKey::from_secret([9; 32]), world(1)).await;
    assert!(matches!(wrong, Err(OpenError::WrongKeys(_))));
}
