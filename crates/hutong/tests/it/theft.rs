//! What a key file is worth to a thief, after it was exchanged.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use domain::order::Progress;

use crate::house::{House, Person, digits, eventually, http};

pub(crate) fn hutong(house: &House, arguments: &[&str]) -> Output {
    let data = house.data();
    Command::new(env!("CARGO_BIN_EXE_hutong"))
        .args(arguments)
        .arg("--data")
        .arg(&data)
        .args(["--listen", house.api.trim_start_matches("http://")])
        .current_dir(data.parent().unwrap())
        .output()
        .unwrap()
}

pub(crate) fn key_file(house: &House) -> PathBuf {
    house.data().with_extension("key")
}

/// Exchanges the key five times while people upload, read and order.
async fn rotate_under_load(house: &House, li: &Person<'_>, zhang: &Person<'_>) {
    let (over, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    let uploads = async {
        while !over.load(SeqCst) {
            for numbers in [&[li.number, "+8613700137003"][..], &[li.number]] {
                zhang.upload(numbers).await;
                rounds.fetch_add(1, SeqCst);
            }
        }
    };
    let reads = async {
        while !over.load(SeqCst) {
            assert_eq!(zhang.feed().await.len(), 2);
            assert_eq!(li.matches().await, [zhang.number]);
        }
    };
    let orders = async {
        for n in 0.. {
            let order = zhang.tap("data10", &format!("key-{n}")).await;
            let order = zhang.client.order(order.id, 5).await.unwrap();
            assert!(order.state.is_final(), "{:?}", order.state);
            if over.load(SeqCst) {
                break;
            }
        }
    };
    let rotations = async {
        let mut files = vec![std::fs::read(key_file(house)).unwrap()];
        for _ in 0..5 {
            let before = rounds.load(SeqCst);
            let output = tokio::task::block_in_place(|| hutong(house, &["keys", "rotate"]));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let now = std::fs::read(key_file(house)).unwrap();
            assert!(!files.contains(&now), "the file is as it was");
            files.push(now);
            // Some load between two.
            while rounds.load(SeqCst) < before + 4 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        over.store(true, SeqCst);
    };
    tokio::join!(uploads, reads, orders, rotations);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_is_exchanged_under_load_and_no_request_notices() {
    let mut house = House::start().await;
    let (li, zhang) = house.friends().await;
    li.share("crbt").await;
    li.share("data10").await;
    let first = std::fs::read(key_file(&house)).unwrap();
    rotate_under_load(&house, &li, &zhang).await;
    // The tokens of devices, the catalogue's door and the waiting codes are what they were.
    let order = zhang.tap("crbt", "last").await;
    let prompt = eventually("the prompt", async || {
        let texts = house.centre.texts(zhang.number).await;
        texts.into_iter().find(|text| text.text.contains("彩铃") && text.text.contains("回复"))
    })
    .await;
    let code = digits(&prompt.text, 4);
    let output = hutong(&house, &["keys", "rotate"]);
    assert!(output.status.success());
    zhang.reply(&prompt.from, &code).await;
    zhang.wait(&order, Progress::Completed).await;
    let token = zhang.token();
    drop((li, zhang));
    house.kill_and_restart().await;
    let me = http().get(format!("{}/v1/me", house.api)).bearer_auth(token).send().await.unwrap();
    assert_eq!(me.status(), 200);
    assert!(house.terminate());
    let checked = hutong(&house, &["check"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    // Whoever stole the first file has nothing.
    let last = std::fs::read(key_file(&house)).unwrap();
    std::fs::write(key_file(&house), &first).unwrap();
    let refused = hutong(&house, &["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not the one"));
    std::fs::write(key_file(&house), &last).unwrap();
    house.restart().await;
    house.end().await;
}
