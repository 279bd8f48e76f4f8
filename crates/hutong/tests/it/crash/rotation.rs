//! Exchanging the master key dies, errs and dawdles between any two of its steps, and is killed at any moment:
//! the key file opens the database, and what an acknowledged exchange has shut stays shut.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::world::{SeededDice, SetClock, World};
use serde_json::Value;
use store::failpoints::Point;
use store::{MasterKey, OpenError, Store};

use super::journal::Journal;
use super::people::{Buyer, Sharer, Stage};
use super::town::Town;

const LI: &str = "+8613900139002";
const KILLS: u32 = 20;

fn key_file(town: &Town) -> PathBuf {
    town.directory().with_extension("key")
}

fn key(town: &Town) -> Vec<u8> {
    std::fs::read(key_file(town)).unwrap()
}

async fn status(town: &Town) -> Value {
    let output = town.run(&["keys", "status", "--json"]).await;
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// Whether a key file of before opens what lies there now.
fn opens(town: &Town, old: &[u8]) -> bool {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), old).unwrap();
    let world = World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(1)));
    match Store::look_embedded(&town.directory(), &MasterKey::in_file(file.path()), world) {
        Ok(_) => true,
        Err(OpenError::WrongKeys(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Every place of a rotation: its own points, the writing of the key file twice, and its commits.
fn places() -> Vec<String> {
    let own = Point::ROTATION.iter().map(|point| format!("{} 0", point.word()));
    let again = [Point::KeyFileAside, Point::BeforeCommit, Point::AfterCommit];
    own.chain(again.map(|point| format!("{} 1", point.word()))).collect()
}

/// Rotates with one place armed. Whatever that does, the key file opens the database, now and after a start.
async fn rotate_through(town: &Town, token: &str, arm: &str) {
    let old = key(town);
    town.idle().await.unwrap();
    town.arm(arm);
    let rotated = town.run(&["keys", "rotate"]).await;
    assert!(town.disarm(), "{arm} is not on a rotation's way");
    assert_eq!(rotated.status.success(), arm.ends_with("delay"), "{arm}");
    assert_eq!(status(town).await["opens"], true, "{arm}");
    if rotated.status.success() {
        assert!(key(town) != old && !opens(town, &old), "{arm}");
    }
    if arm.ends_with("error") {
        // The next one does what this one has left.
        let again = town.run(&["keys", "rotate"]).await;
        assert!(again.status.success(), "{arm}: {}", String::from_utf8_lossy(&again.stderr));
    }
    town.revive().await;
    let status = status(town).await;
    assert_eq!((&status["opens"], &status["unfinished"]), (&Value::Bool(true), &Value::Bool(false)), "{arm}");
    let me = town.insist(token, async |client: api::client::Client| client.me().await).await;
    assert!(me.is_ok(), "{arm}: a session is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_passes_every_fail_point_with_abort_error_and_delay_and_the_file_opens_the_database() {
    let town = Town::new(false).await;
    town.start().await;
    town.seed(include_str!("../../../../../examples/catalogue.json").to_owned()).await;
    let token = town.sign_in(LI).await.unwrap();
    let first = key(&town);
    for place in places() {
        for action in ["abort", "error", "delay"] {
            rotate_through(&town, &token, &format!("{place} {action}")).await;
        }
    }
    assert!(!opens(&town, &first));
    let beside = std::fs::read_dir(town.directory().parent().unwrap()).unwrap();
    let names: Vec<String> =
        beside.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(!names.iter().any(|name| name.contains("aside-")), "a copy of secrets is left: {names:?}");
    assert_eq!(town.check().await, Ok(()));
    // The same without servers: the command does it in the store itself.
    for place in Point::ROTATION {
        town.arm(&format!("{} 0 abort", place.word()));
        assert!(!town.run(&["keys", "rotate"]).await.status.success());
        assert!(town.disarm(), "{place:?}");
        let again = town.run(&["keys", "rotate"]).await;
        assert!(again.status.success(), "{place:?}: {}", String::from_utf8_lossy(&again.stderr));
        assert_eq!(status(&town).await["unfinished"], false, "{place:?}");
    }
    assert_eq!(town.check().await, Ok(()));
}

/// The key files that acknowledged exchanges have shut.
async fn rotate_again_and_again(stage: &Stage) -> Vec<Vec<u8>> {
    let mut shut = Vec::new();
    while !stage.journal.closing.load(Ordering::SeqCst) {
        let old = key(&stage.town);
        // While the servers are down nobody rotates: the command would hold the data, and so keep them down.
        if stage.town.operate("/operator/v1/keys/rotate").await {
            stage.journal.count("rotations");
            shut.push(old);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    shut
}

async fn kill_again_and_again(stage: &Stage) {
    let Stage { town, dice, journal, .. } = stage;
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis((20 + dice.below(400)).into())).await;
        town.kill().await;
        let opens = status(town).await["opens"] == true;
        journal.must(opens, || "the key file did not open the database after a kill".to_owned());
        town.start().await;
    }
    journal.closing.store(true, Ordering::SeqCst);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_over_kill_9_while_the_key_is_exchanged() {
    let seed = RandomState::new().build_hasher().finish();
    println!("rotation kills: seed {seed}");
    let dice = World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(seed)));
    let town = Town::new(true).await;
    town.start().await;
    let catalogue = include_str!("../../../../../examples/catalogue.json");
    let mut catalogue: Value = serde_json::from_str(catalogue).unwrap();
    catalogue["subscriptions"] = ["data10", "crbt", "reading"]
        .map(|offering| {
            serde_json::json!({"number": LI, "offering": offering, "since": "2026-01-01T00:00:00Z"})
        })
        .into_iter()
        .collect();
    town.seed(catalogue.to_string()).await;
    let stage = Stage { town, journal: Journal::default(), dice, sharers: vec![LI.to_owned()] };
    let mut sharer = Sharer::begin(&stage, LI).await;
    let lives = async {
        let mut lives = Vec::new();
        while !stage.journal.closing.load(Ordering::SeqCst) {
            lives.extend(Buyer::live(&stage).await);
        }
        lives
    };
    let (shut, (), (), lives) =
        tokio::join!(rotate_again_and_again(&stage), kill_again_and_again(&stage), sharer.act(&stage), lives);
    stage.journal.take("the end", stage.town.idle().await);
    let present = lives.iter().filter(|buyer| !buyer.erased).map(|buyer| buyer.number.clone());
    let present: BTreeSet<String> = present.collect();
    sharer.verify(&stage).await;
    sharer.verify_matches(&stage, &present).await;
    for buyer in &lives {
        buyer.verify(&stage).await;
    }
    stage.journal.must(!shut.is_empty(), || "no rotation came through".to_owned());
    for old in &shut {
        stage.journal.must(!opens(&stage.town, old), || "an old key file opens the database".to_owned());
    }
    stage.journal.take("hutong check", stage.town.check().await);
    for line in stage.town.errors_in_log() {
        stage.journal.violation(line);
    }
    println!("rotation kills: acknowledged {:?}", stage.journal.counts());
    assert_eq!(stage.journal.violations(), Vec::<String>::new(), "seed {seed}");
}
