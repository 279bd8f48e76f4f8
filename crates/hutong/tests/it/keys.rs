//! The key file and the real binary: without the right one it refuses to start and touches nothing; it is
//! exchanged while others look.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use serde_json::Value;
use store::{MasterKey, Store};

use crate::binary::command;
use crate::house::{House, OPERATOR_TOKEN, Person};
use crate::theft::{hutong, key_file};

/// Commands on the data of servers that have ended.
struct Place {
    root: PathBuf,
    /// With PostgreSQL its address; the data directory then holds nothing.
    database: Option<String>,
}

impl Place {
    fn key(&self) -> PathBuf {
        self.root.join("data.key")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments, &self.root);
        command.arg("--data").arg(self.root.join("data"));
        command.args(self.database.iter().flat_map(|url| ["--database", url]));
        if arguments == ["serve"] {
            command.args(["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--sms-port", "1"]);
        } else {
            // Nobody listens there: each command works on the store itself.
            command.args(["--listen", "127.0.0.1:1"]);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// A hash of every file, and of every row that a start could write.
    fn contents(&self) -> BTreeMap<PathBuf, u64> {
        let hash = |bytes: &[u8]| {
            let mut hasher = DefaultHasher::new();
            hasher.write(bytes);
            hasher.finish()
        };
        let mut all = BTreeMap::new();
        for path in files_under(&self.root) {
            // A link that leads nowhere has nothing in it.
            let bytes = fs::read(&path).unwrap_or_default();
            // SQLite's readers share memory in a file, and begin an empty log.
            let name = path.to_string_lossy().into_owned();
            if !(name.ends_with("-shm") || name.ends_with("-wal") && bytes.is_empty()) {
                all.insert(path, hash(&bytes));
            }
        }
        if let Some(url) = &self.database {
            let sql = "SELECT name, value FROM meta ORDER BY name; SELECT * FROM job ORDER BY id; SELECT * FROM audit_head ORDER BY chain";
            let rows = Command::new("psql").args([url, "-Atc", sql]).output().unwrap();
            assert!(rows.status.success() && !rows.stdout.is_empty());
            all.insert(PathBuf::from("rows"), hash(&rows.stdout));
        }
        all
    }
}

pub(crate) fn files_under(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

/// A database of its own where the test command has started a cluster.
fn database(name: &str) -> Option<String> {
    let Ok(url) = std::env::var("HUTONG_TEST_POSTGRES") else {
        assert!(std::env::var("CI").is_err(), "CI must test PostgreSQL: run cargo xtask test");
        return None;
    };
    let name = format!("keys_{}_{name}", std::process::id());
    let made = Command::new("psql")
        .args([&format!("{url}/postgres"), "-qc", &format!("CREATE DATABASE {name}")])
        .status();
    assert!(made.unwrap().success(), "psql made no database");
    Some(format!("{url}/{name}"))
}

/// What may be wrong with a key file, how it comes to be so, and what is to be said beside its name.
type Wrong = (&'static str, fn(&Path), &'static str);

const WRONGS: [Wrong; 9] = [
    ("absent", |_| {}, "put the file back"),
    ("of another installation", |key| put(key, &text(2, "A"), 0o600), "put the right file back"),
    ("truncated", |key| put(key, &text(2, "A")[..40], 0o600), "put the right file back"),
    ("empty", |key| put(key, "", 0o600), "put the right file back"),
    ("of a format that is no more", |key| put(key, &text(1, "A"), 0o600), "put the right file back"),
    ("a directory", |key| fs::create_dir(key).unwrap(), "no file"),
    ("readable by its group", |key| put(key, &text(2, "A"), 0o640), "chmod 600"),
    ("writable by all", |key| put(key, &text(2, "A"), 0o602), "chmod 600"),
    ("a link to nowhere", |key| std::os::unix::fs::symlink("nowhere", key).unwrap(), "put the file back"),
];

fn text(format: u32, letter: &str) -> String {
    format!("{{\"hutong_keys\":{format},\"secret\":\"{}\"}}", letter.repeat(43))
}

fn put(key: &Path, text: &str, mode: u32) {
    fs::write(key, text).unwrap();
    fs::set_permissions(key, Permissions::from_mode(mode)).unwrap();
}

fn remove(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => fs::remove_dir(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

/// A refusal: it ends by itself, with the exit code for what the operator is to mend, says what is wrong with
/// which file and what to do, and leaves everything as it was.
fn refused(place: &Place, what: &str, says: &str) {
    let before = place.contents();
    for arguments in
        [&["serve"][..], &["check"], &["keys", "rotate"], &["keys", "status"], &["audit", "head"]]
    {
        let output = place.run(arguments);
        let said =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{what}, {arguments:?}: {said}");
        assert!(!said.contains("listening on"), "{what}: {said}");
        assert!(said.contains("data.key") && said.contains(says), "{what}, {arguments:?}: {said}");
        assert_eq!(place.contents(), before, "{what}, {arguments:?}: something has changed");
    }
}

async fn refuses_each_wrong_key_file(database: Option<String>) {
    let flags = database.iter().flat_map(|url| ["--database".to_owned(), url.clone()]).collect();
    let mut house = House::start_so("info", flags).await;
    let (li, zhang) = house.friends().await;
    drop((li, zhang));
    assert!(house.terminate());
    let place = Place { root: house.data().parent().unwrap().to_owned(), database };
    let good = fs::read(place.key()).unwrap();
    for (what, make, says) in WRONGS {
        remove(&place.key());
        make(&place.key());
        refused(&place, what, says);
    }
    remove(&place.key());
    put(&place.key(), std::str::from_utf8(&good).unwrap(), 0o600);
    // In a place where others may put another in its place.
    fs::set_permissions(&place.root, Permissions::from_mode(0o777)).unwrap();
    let before = place.contents();
    let output = place.run(&["serve"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.contains("chmod go-w")), (Some(1), true), "{said}");
    assert_eq!(place.contents(), before);
    fs::set_permissions(&place.root, Permissions::from_mode(0o700)).unwrap();
    // The right file is all that was missing.
    house.restart().await;
    let status: Value = serde_json::from_slice(&place.run(&["keys", "status", "--json"]).stdout).unwrap();
    assert_eq!(
        (&status["opens"], &status["rights_ok"]),
        (&Value::Bool(true), &Value::Bool(true)),
        "{status}"
    );
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_key_file_the_servers_refuse_to_start_say_so_and_touch_nothing() {
    refuses_each_wrong_key_file(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_they_do_on_postgres() {
    if let Some(database) = database("wrong") {
        refuses_each_wrong_key_file(Some(database)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_users_key_file_is_refused_and_the_user_named() {
    let mut house = House::start().await;
    assert!(house.terminate());
    let place = Place { root: house.data().parent().unwrap().to_owned(), database: None };
    if fs::metadata(place.key()).map(|about| std::os::unix::fs::MetadataExt::uid(&about)).unwrap() != 0 {
        // Only root can be somebody else.
        return;
    }
    // Somebody who may go everywhere here, and whose the file is not.
    let (nobody, somebody) = (65_534, 65_533);
    for path in [place.root.clone(), house.data()].into_iter().chain(files_under(&place.root)) {
        chown(path, Some(nobody), Some(nobody)).unwrap();
    }
    chown(place.key(), Some(somebody), Some(somebody)).unwrap();
    let output = place.command(&["serve"]).uid(nobody).gid(nobody).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in ["data.key", "65533", "65534", "chown"] {
        assert!(said.contains(word), "{said}");
    }
    chown(place.key(), Some(nobody), Some(nobody)).unwrap();
    let output = place.command(&["check"]).uid(nobody).gid(nobody).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn status(house: &House) -> Value {
    let output = hutong(house, &["keys", "status", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_tells_file_time_count_and_rights_and_no_secret() {
    let mut house = House::start().await;
    let first = status(&house);
    assert_eq!(first["rotations"], 0);
    assert!(hutong(&house, &["keys", "rotate"]).status.success());
    let second = status(&house);
    assert_eq!((&second["rotations"], &second["unfinished"]), (&Value::from(1), &Value::Bool(false)));
    assert!(second["since"].as_str() > first["since"].as_str());
    assert_eq!(Path::new(second["file"].as_str().unwrap()), key_file(&house));
    let table = String::from_utf8(hutong(&house, &["keys", "status"]).stdout).unwrap();
    let key: Value = serde_json::from_slice(&fs::read(key_file(&house)).unwrap()).unwrap();
    let secret = key["secret"].as_str().unwrap();
    assert!(table.contains("rotations") && !table.contains(secret) && !second.to_string().contains(secret));
    // A file with two secrets is one whose exchange was broken off; looking leaves it so, a start ends it.
    house.terminate();
    let mut both = key.clone();
    both["next"] = Value::from("A".repeat(43));
    fs::write(key_file(&house), both.to_string()).unwrap();
    assert_eq!(status(&house)["unfinished"], true);
    house.restart().await;
    assert_eq!(status(&house)["unfinished"], false);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_cannot_be_used_is_a_problem_that_names_it_to_the_operator() {
    let house = House::start().await;
    let away = key_file(&house).with_extension("away");
    fs::rename(key_file(&house), &away).unwrap();
    let answer = house.post("/operator/v1/keys/rotate", String::new()).await;
    assert_eq!(answer.status(), 503);
    let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(problem["code"], "operator/key-file");
    assert!(problem["detail"].as_str().unwrap().contains("data.key"), "{problem}");
    // Another process is at it.
    fs::rename(&away, key_file(&house)).unwrap();
    let lock = fs::File::open(key_file(&house).parent().unwrap()).unwrap();
    lock.lock().unwrap();
    let answer = house.post("/operator/v1/keys/rotate", String::new()).await;
    assert_eq!(answer.status(), 409);
    assert!(answer.text().await.unwrap().contains("operator/keys-meanwhile"));
    drop(lock);
    assert_eq!(house.post("/operator/v1/keys/rotate", String::new()).await.status(), 204);
}

const ROTATIONS: usize = 30;

/// New people sign in, all the while.
async fn sign_ins(house: &House, over: &AtomicBool) {
    for n in 0.. {
        let number = format!("+86137000{n:05}").leak();
        house.person(number).await;
        if over.load(SeqCst) {
            break;
        }
    }
}

async fn uploads_and_orders(li: &Person<'_>, zhang: &Person<'_>, over: &AtomicBool) {
    for n in 0.. {
        zhang.upload(&[li.number, "+8613700137003"]).await;
        let order = zhang.tap("data10", &format!("key-{n}")).await;
        let order = zhang.client.order(order.id, 5).await.unwrap();
        assert!(order.state.is_final(), "{:?}", order.state);
        zhang.upload(&[li.number]).await;
        if over.load(SeqCst) {
            break;
        }
    }
}

/// Runs a command again and again; it always ends well.
fn looks(house: &House, arguments: &[&str], over: &AtomicBool) {
    let (metrics, port) = (house.metrics.replace("http://", ""), house.centre.smpp_addr().port().to_string());
    while !over.load(SeqCst) {
        let mut arguments = arguments.to_vec();
        if arguments == ["doctor"] {
            arguments.extend(["--metrics", &metrics, "--sms-port", &port]);
        }
        let output = hutong(house, &arguments);
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}{}", said(&output.stdout), said(&output.stderr));
    }
}

/// Looks into the store as the commands that only look do, far more often than a process can.
fn looks_inside(house: &House, over: &AtomicBool) -> usize {
    let mut looks = 0;
    while !over.load(SeqCst) {
        let master = MasterKey::in_file(key_file(house));
        let world = domain::world::World::new(
            std::sync::Arc::new(domain::world::SetClock::at_ms(0)),
            std::sync::Arc::new(domain::world::SeededDice::new(1)),
        );
        Store::look_embedded(&house.data(), &master, world).unwrap();
        looks += 1;
    }
    looks
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_exchanged_again_and_again_while_people_use_it_and_operators_look() {
    let mut house = House::start().await;
    let (li, zhang) = house.friends().await;
    li.share("data10").await;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (house, over) = (&house, &over);
        for arguments in [&["audit", "verify"][..], &["doctor"], &["keys", "status"]] {
            scope.spawn(move || looks(house, arguments, over));
        }
        let inside = scope.spawn(move || looks_inside(house, over));
        let rotations = async {
            for _ in 0..ROTATIONS {
                let output = tokio::task::block_in_place(|| hutong(house, &["keys", "rotate"]));
                if !output.status.success() {
                    over.store(true, SeqCst);
                }
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
            over.store(true, SeqCst);
        };
        let all = async {
            tokio::join!(sign_ins(house, over), uploads_and_orders(&li, &zhang, over), rotations);
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(all));
        assert!(inside.join().unwrap() > ROTATIONS);
    });
    let status = status(&house);
    assert_eq!((&status["rotations"], &status["unfinished"]), (&Value::from(ROTATIONS), &Value::Bool(false)));
    drop((li, zhang));
    assert!(house.terminate());
    assert!(hutong(&house, &["check"]).status.success());
    house.restart().await;
    assert_eq!(house.post("/operator/v1/keys/rotate", String::new()).await.status(), 204, "{OPERATOR_TOKEN}");
    house.end().await;
}
