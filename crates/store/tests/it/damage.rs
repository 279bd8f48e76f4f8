//! Damage is noticed: at open, by the check, or it changes nothing that anybody reads.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use domain::ids::{SessionId, SubscriberId};
use domain::locale::Locale;
use domain::world::{SeededDice, SetClock, World};
use store::contacts::NewSession;
use store::jobs::JobKind;
use store::{MasterKey, OpenError, Store, StoreError};

use crate::backends::{START_MS, number};

const FLIPS: usize = 160;
const CUTS: usize = 40;
const FILES: [&str; 3] = ["hutong.sqlite", "hutong.sqlite-wal", "hutong.mark"];

fn keys() -> MasterKey {
    MasterKey::from_secret([7; 32])
}

fn world() -> World {
    World::new(Arc::new(SetClock::at_ms(START_MS)), Arc::new(SeededDice::new(1)))
}

/// In memory where there is such a place: thousands of small syncs prove nothing here.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn open(directory: &Path) -> Result<Store, OpenError> {
    Store::open_embedded(directory, &keys(), world())
}

/// Writes a little of everything that a role writes, in several commits.
async fn fill(store: &Store) {
    let dice = world();
    for person in 0..40_u64 {
        let (subscriber, id) = (SubscriberId(dice.uuid()), SessionId(dice.uuid()));
        let session = NewSession { id, token: format!("token-{person}"), device: None };
        let keys = store.keys().clone();
        let book: BTreeSet<_> = (0..60).map(|n| keys.contact_key(number(n * 7 + person))).collect();
        let write = move |tx: &mut store::Tx<'_>| -> Result<(), StoreError> {
            tx.contacts().sign_in(number(person), Locale::English, subscriber, &session)?;
            tx.contacts().replace_book(keys.contact_key(number(person)), &book)?;
            let later = domain::world::after_seconds(world().now(), 60);
            tx.jobs().enqueue(JobKind::ForwardOrder, &person, later)
        };
        store.write(write).await.unwrap();
    }
}

/// Every row of every table but the ledger's own, as text.
fn rows(directory: &Path) -> Vec<String> {
    let file = rusqlite::Connection::open(directory.join("hutong.sqlite")).unwrap();
    let names = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let mut names = file.prepare(names).unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut all = Vec::new();
    for name in names {
        let ledger = if name == "meta" { " WHERE name <> 'ledger'" } else { "" };
        let mut rows = file.prepare(&format!("SELECT * FROM \"{name}\"{ledger}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..columns).map(|column| row.get_ref(column).unwrap()).collect();
            all.push(format!("{name} {values:?}"));
        }
    }
    all.sort();
    all
}

fn copy(from: &Path, to: &Path) {
    for name in FILES {
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

/// Opens damaged data and says whether anybody was told; what was not told of must read as before.
async fn is_noticed(directory: &Path, before: &[String]) -> bool {
    let Ok(store) = open(directory) else { return true };
    let read = |view: &mut store::View<'_>| -> Result<(), StoreError> { view.check_integrity().map(|_| ()) };
    let checked = store.read(read).await;
    store.close().await;
    drop(store);
    if checked.is_err() {
        return true;
    }
    assert!(rows(directory) == before, "damage that nobody was told of has changed what is read");
    false
}

/// A store as kill -9 leaves it, and one that was closed.
async fn killed_and_closed() -> [tempfile::TempDir; 2] {
    let [live, killed, closed] = [(); 3].map(|()| directory());
    let store = open(live.path()).unwrap();
    fill(&store).await;
    copy(live.path(), killed.path());
    store.close().await;
    copy(live.path(), closed.path());
    assert!(std::fs::metadata(killed.path().join(FILES[1])).unwrap().len() > 100_000);
    assert!(!closed.path().join(FILES[1]).exists(), "closing folds the log in");
    [killed, closed]
}

#[tokio::test]
async fn a_flipped_byte_is_refused_at_open_or_found_by_the_check_or_changes_nothing() {
    let dice = world();
    for original in killed_and_closed().await {
        let whole = directory();
        copy(original.path(), whole.path());
        let before = rows(whole.path());
        assert!(!is_noticed(whole.path(), &before).await, "whole data is taken for damaged");
        let files: Vec<&str> = FILES.into_iter().filter(|name| original.path().join(name).exists()).collect();
        let mut noticed = 0;
        for round in 0..FLIPS / 2 {
            let copied = directory();
            copy(original.path(), copied.path());
            // Mostly where the data is.
            let name =
                if round % 10 == 0 { files[files.len() - 1] } else { files[round % (files.len() - 1)] };
            let path = copied.path().join(name);
            let mut bytes = std::fs::read(&path).unwrap();
            // Most of a small database is room that was never written.
            let used: Vec<usize> = (0..bytes.len()).filter(|place| bytes[*place] != 0).collect();
            bytes[used[dice.below(u32::try_from(used.len()).unwrap()) as usize]] ^= 1 << dice.below(8);
            std::fs::write(&path, bytes).unwrap();
            noticed += usize::from(is_noticed(copied.path(), &before).await);
        }
        assert!(noticed > FLIPS / 8, "only {noticed} flips were noticed");
    }
}

/// How much of a log is in force: behind that lie frames that were folded into the file before it began anew, which
/// bear another salt (SQLite's file format, section 4).
fn in_force(log: &[u8]) -> usize {
    let (header, frames) = log.split_at(32);
    let frames = frames.chunks_exact(24 + 4096).take_while(|frame| frame[8..16] == header[16..24]);
    header.len() + frames.count() * (24 + 4096)
}

#[tokio::test]
async fn a_log_cut_short_anywhere_is_refused_at_open() {
    let dice = world();
    let [killed, _] = killed_and_closed().await;
    let log = std::fs::read(killed.path().join(FILES[1])).unwrap();
    for _ in 0..CUTS {
        let copied = directory();
        copy(killed.path(), copied.path());
        let kept = dice.below(u32::try_from(in_force(&log)).unwrap()) as usize;
        std::fs::write(copied.path().join(FILES[1]), &log[..kept]).unwrap();
        let refused = open(copied.path()).err();
        assert!(matches!(refused, Some(OpenError::Behind { .. })), "{kept} of {}: {refused:?}", log.len());
    }
}

#[tokio::test]
async fn an_older_copy_is_opened_once_somebody_has_said_so_by_removing_the_mark() {
    let [killed, closed] = killed_and_closed().await;
    std::fs::write(killed.path().join(FILES[1]), []).unwrap();
    let refused = open(killed.path()).err().unwrap().to_string();
    let mark = killed.path().join(FILES[2]);
    assert!(refused.contains("backup") && refused.contains(mark.to_str().unwrap()), "{refused}");
    std::fs::remove_file(mark).unwrap();
    open(killed.path()).unwrap();
    // A mark that is older than the database, or torn, proves nothing.
    let mark = closed.path().join(FILES[2]);
    let whole = std::fs::read(&mark).unwrap();
    std::fs::write(&mark, &whole[..20]).unwrap();
    open(closed.path()).unwrap();
}

#[tokio::test]
async fn a_deleted_database_is_missed() {
    let [_, closed] = killed_and_closed().await;
    std::fs::remove_file(closed.path().join(FILES[0])).unwrap();
    assert!(matches!(open(closed.path()).err(), Some(OpenError::Behind { .. })));
}
