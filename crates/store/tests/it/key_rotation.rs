//! What a rotation leaves of the old master key: a file that opens nothing; and whoever looks meanwhile.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;

use domain::world::after_seconds;
use store::audit::Actor;
use store::jobs::JobKind;
use store::{MasterKey, OpenError, RotateError, Store, StoreError};

use crate::backends::Bench;
use crate::key_file::{Installation, world};

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// The seed as the database keeps it now.
fn seal(directory: &Path) -> Vec<u8> {
    let file = rusqlite::Connection::open_with_flags(
        directory.join("hutong.sqlite"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    );
    let sql = "SELECT value FROM meta WHERE name = 'seed'";
    file.unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// The files of a directory that hold some bytes.
fn holders(directory: &Path, what: &[u8]) -> Vec<PathBuf> {
    let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| holds(&std::fs::read(file).unwrap(), what)).collect()
}

/// A commit that changes something.
async fn write_something(store: &Store, n: u64) {
    let later = after_seconds(world(0).now(), 60);
    let write =
        move |tx: &mut store::Tx<'_>| tx.jobs().enqueue(JobKind::ForwardOrder, &format!("filler {n}"), later);
    store.write::<_, StoreError, _>(write).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_holds_the_seed_as_an_old_key_sealed_it_while_people_read_and_write() {
    let installation = Installation::new();
    let store = installation.open().unwrap();
    let over = AtomicBool::new(false);
    let load = async {
        for n in 0.. {
            write_something(&store, n).await;
            store.read::<_, StoreError, _>(|view| view.check_integrity()).await.unwrap();
            if over.load(SeqCst) {
                break;
            }
        }
    };
    let rotations = async {
        let mut old = Vec::new();
        for _ in 0..8 {
            old.push(seal(&installation.data()));
            store.rotate_master_key(Actor::Local).await.unwrap();
            for seal in &old {
                assert_eq!(holders(&installation.data(), seal), [""; 0].map(PathBuf::from));
            }
            let now = seal(&installation.data());
            assert!(!holders(&installation.data(), &now).is_empty(), "what is searched holds the new one");
        }
        over.store(true, SeqCst);
    };
    tokio::join!(load, rotations);
    let reign = store.reign().await.unwrap();
    assert_eq!((reign.rotations, reign.old_seal_stands), (8, false));
    store.close().await;
}

/// A directory as it would be found after a power cut.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        // What the processes share in memory does not survive one.
        if !file.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_somebody_reads_for_long_a_rotation_says_that_it_is_unfinished_and_is_ended_later() {
    let installation = Installation::new();
    let store = installation.open().unwrap();
    let (old, (begun, has_begun), (end, may_end)) =
        (seal(&installation.data()), mpsc::channel(), mpsc::channel::<()>());
    let mut waits = Some((begun, may_end));
    let long = store.read::<_, StoreError, _>(move |view| {
        view.jobs().counts(world(0).now())?;
        if let Some((begun, may_end)) = waits.take() {
            begun.send(()).unwrap();
            // An error is the test's end.
            let _ = may_end.recv();
        }
        Ok(())
    });
    let rotation = async {
        tokio::task::block_in_place(|| has_begun.recv()).unwrap();
        let rotated = store.rotate_master_key(Actor::Local).await;
        assert!(matches!(rotated, Err(RotateError::Unfinished)), "{rotated:?}");
        // The key is exchanged, all the same, and writes go on.
        write_something(&store, 1).await;
        let reign = store.reign().await.unwrap();
        assert_eq!((reign.rotations, reign.old_seal_stands), (1, true));
        assert!(
            !holders(&installation.data(), &old).is_empty(),
            "the search finds it as long as it is there"
        );
        let crashed = installation.data().with_file_name("crashed");
        copy(&installation.data(), &crashed);
        end.send(()).unwrap();
        crashed
    };
    let (long, crashed) = tokio::join!(long, rotation);
    long.unwrap();
    // The next start after a crash ends it.
    let again = Store::open_embedded(&crashed, &MasterKey::in_file(installation.file()), world(70)).unwrap();
    assert_eq!(holders(&crashed, &old).len(), 0);
    assert!(!again.reign().await.unwrap().old_seal_stands);
    again.close().await;
    // So does the next rotation.
    store.rotate_master_key(Actor::Local).await.unwrap();
    assert_eq!(holders(&installation.data(), &old).len(), 0);
    assert!(!store.reign().await.unwrap().old_seal_stands);
    store.close().await;
}

/// What is in each file of a directory, but for what processes share in memory.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|file| !file.to_string_lossy().ends_with("-shm"));
    files.map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_key_file_nothing_of_the_data_is_touched_not_even_after_a_crash() {
    let installation = Installation::new();
    let store = installation.open().unwrap();
    write_something(&store, 1).await;
    let crashed = installation.data().with_file_name("crashed");
    copy(&installation.data(), &crashed);
    assert!(std::fs::metadata(crashed.join("hutong.sqlite-wal")).unwrap().len() > 0);
    store.close().await;
    drop(store);
    for directory in [crashed, installation.data()] {
        let before = contents(&directory);
        for n in 0..2 {
            let wrong = Store::open_embedded(&directory, &MasterKey::from_secret([n; 32]), world(9));
            assert!(matches!(wrong, Err(OpenError::WrongKeys(_))));
            let nowhere = MasterKey::in_file(directory.with_file_name("nowhere.json"));
            let missing = Store::open_embedded(&directory, &nowhere, world(9));
            assert!(matches!(missing, Err(OpenError::KeyFile(_))));
            assert_eq!(contents(&directory), before);
        }
        let right = MasterKey::in_file(installation.file());
        Store::open_embedded(&directory, &right, world(9)).unwrap().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_while_the_key_is_exchanged_finds_the_file_that_fits() {
    let installation = Installation::new();
    let store = installation.open().unwrap();
    let over = AtomicBool::new(false);
    let look = || {
        let mut looks = 0;
        while !over.load(SeqCst) {
            let master = MasterKey::in_file(installation.file());
            Store::look_embedded(&installation.data(), &master, world(50)).unwrap();
            looks += 1;
        }
        looks
    };
    std::thread::scope(|scope| {
        let lookers: Vec<_> = (0..3).map(|_| scope.spawn(look)).collect();
        let rotations = async {
            for _ in 0..60 {
                store.rotate_master_key(Actor::Local).await.unwrap();
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(rotations));
        over.store(true, SeqCst);
        assert!(lookers.into_iter().all(|looker| looker.join().unwrap() > 10));
    });
    store.close().await;
    drop(store);
    installation.open().unwrap().close().await;
}

/// A key file beside a PostgreSQL database that was made with the benches' own key.
fn file_for_postgres(directory: &Path) -> PathBuf {
    let file = directory.join("keys.json");
    let secret = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    std::fs::write(&file, format!("{{\"hutong_keys\":2,\"secret\":\"{secret}\"}}")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    file
}

async fn client(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_table_holds_no_seed_as_an_old_key_sealed_it_and_other_processes_go_on() {
    let Some(bench) = Bench::postgres("rotation").await else { return };
    let (url, directory) = (bench.url.clone().unwrap(), tempfile::tempdir().unwrap());
    let file = file_for_postgres(directory.path());
    let open = async |seed| Store::open_postgres(&url, &MasterKey::in_file(&file), world(seed)).await;
    let (store, beside) = (open(10).await.unwrap(), open(11).await.unwrap());
    let client = client(&url).await;
    let seal = async || {
        let row = client.query_one("SELECT value FROM meta WHERE name = 'seed'", &[]).await.unwrap();
        row.get::<_, Vec<u8>>(0)
    };
    let table = async || {
        client.batch_execute("CHECKPOINT").await.unwrap();
        let sql = "SELECT pg_read_binary_file(pg_relation_filepath('meta'))";
        client.query_one(sql, &[]).await.unwrap().get::<_, Vec<u8>>(0)
    };
    let over = AtomicBool::new(false);
    let looks = async {
        while !over.load(SeqCst) {
            let master = MasterKey::in_file(&file);
            Store::look_postgres(&url, &master, world(50)).await.unwrap().close().await;
            write_something(&beside, 1).await;
        }
    };
    let opens = async {
        while !over.load(SeqCst) {
            open(60).await.unwrap().close().await;
        }
    };
    let rotations = async {
        for n in 0..6 {
            let old = seal().await;
            assert!(holds(&table().await, &old), "what is searched is the table");
            // Any process may, also after another has.
            let which = if n % 2 == 0 { &store } else { &beside };
            which.rotate_master_key(Actor::Local).await.unwrap();
        }
        over.store(true, SeqCst);
    };
    tokio::join!(looks, opens, rotations);
    // PostgreSQL keeps what a transaction of others may still see; with none of them it keeps nothing.
    let old = seal().await;
    store.rotate_master_key(Actor::Local).await.unwrap();
    assert!(!holds(&table().await, &old));
    let reign = store.reign().await.unwrap();
    assert_eq!((reign.rotations, reign.old_seal_stands), (7, false));
    // The file of the beginning opens nothing any more.
    let last = std::fs::read(&file).unwrap();
    file_for_postgres(directory.path());
    assert!(matches!(open(12).await, Err(OpenError::WrongKeys(_))));
    std::fs::write(&file, last).unwrap();
    open(13).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_broken_off_on_postgres_is_ended_by_the_next_start() {
    let Some(bench) = Bench::postgres("broken_off").await else { return };
    let (url, directory) = (bench.url.clone().unwrap(), tempfile::tempdir().unwrap());
    let file = file_for_postgres(directory.path());
    let text = || serde_json::from_slice::<serde_json::Value>(&std::fs::read(&file).unwrap()).unwrap();
    let old = text();
    let open = async |seed| Store::open_postgres(&url, &MasterKey::in_file(&file), world(seed)).await;
    let store = open(10).await.unwrap();
    store.rotate_master_key(Actor::Local).await.unwrap();
    store.close().await;
    let new = text();
    // Died when the database had taken the new secret, and the file still named the old one first.
    let mut both = old.clone();
    both["next"] = new["secret"].clone();
    std::fs::write(&file, both.to_string()).unwrap();
    let client = client(&url).await;
    let stands = "UPDATE meta SET value = set_byte(value, 16, 1) WHERE name = 'reign'";
    assert_eq!(client.execute(stands, &[]).await.unwrap(), 1);
    let store = open(11).await.unwrap();
    assert_eq!(text(), new);
    assert!(!store.reign().await.unwrap().old_seal_stands);
    store.close().await;
}
