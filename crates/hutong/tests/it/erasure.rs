//! Erasure: what is left of a person nowhere, what stays without them, and a backup that is put back.

use std::path::Path;

use domain::order::Progress;
use serde_json::Value;

use crate::house::{House, OPERATOR_TOKEN, code, eventually, http};
use crate::keys::files_under;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in files_under(from) {
        std::fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

async fn products(house: &House, number: &str) -> usize {
    house.list("productInventory/v4/product", number).await.len()
}

async fn erased_at_the_platform(house: &House, number: &str) {
    eventually("the platform to have erased", async || (products(house, number).await == 0).then_some(()))
        .await;
}

/// All orders that the platform has, whosever they are.
async fn orders(house: &House) -> Value {
    let url = format!("{}/tmf-api/productOrderingManagement/v4/productOrder", house.api);
    let answer = http().get(url).bearer_auth(OPERATOR_TOKEN).send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// Looks for a number in every file, as digits of the country or of the world.
fn is_anywhere(directory: &Path, number: &str) -> bool {
    let national = number.trim_start_matches("+86").as_bytes();
    let holds = |file: &std::path::PathBuf| {
        let bytes = std::fs::read(file).unwrap();
        bytes.windows(national.len()).any(|window| window == national)
    };
    files_under(directory).iter().any(holds)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_takes_everything_here_and_at_the_platform_and_what_stays_names_nobody() {
    let mut house = House::start().await;
    let (li, mut zhang) = house.friends().await;
    li.share("crbt").await;
    let (order, from, right) = zhang.prompted("crbt", "k1").await;
    zhang.reply(&from, &right).await;
    zhang.wait(&order, Progress::Completed).await;
    zhang.next_text().await;
    zhang.client.put_backup(vec![7; 64].into(), None).await.unwrap();
    li.share("reading").await;
    // One order waits for its answer.
    let (_, from, right) = zhang.prompted("reading", "k2").await;

    zhang.client.forget_me().await.unwrap();
    assert_eq!(code(zhang.client.me().await), "auth/invalid");
    assert!(li.matches().await.is_empty());
    erased_at_the_platform(&house, zhang.number).await;
    let theirs = house.list("productOrderingManagement/v4/productOrder", zhang.number).await;
    assert_eq!(theirs, Vec::<Value>::new());
    // The evidence stays: two orders, ended, of nobody.
    let all = orders(&house).await;
    let mut states: Vec<_> = all.as_array().unwrap().iter().map(|order| order["state"].as_str()).collect();
    states.sort_unstable();
    assert_eq!(states, [Some("cancelled"), Some("completed")]);
    assert!(!all.to_string().contains("13800138001"), "a number in what stays");
    // An answer to what was asked before says nothing any more.
    zhang.reply(&from, &right).await;
    eventually("the queue to run empty", async || (house.metric("jobs_due").await == 0.0).then_some(()))
        .await;
    assert_eq!(products(&house, zhang.number).await, 0);
    house.end().await;

    let number = zhang.number;
    assert!(house.terminate());
    let data = house.data();
    assert!(!is_anywhere(data.parent().unwrap(), number), "a number in a file");
    let journal = std::fs::read_to_string(data.with_extension("erased")).unwrap();
    assert_eq!(journal.lines().count(), 2, "the account, and the platform's part: {journal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_erases_again_whoever_was_erased_since_and_nobody_else() {
    let mut house = House::start().await;
    let (li, zhang) = house.friends().await;
    li.share("data10").await;
    let order = zhang.tap("data10", "k1").await;
    zhang.wait(&order, Progress::Completed).await;
    let (left, stays) = (zhang.token(), li.token());
    let (zhang, li) = (zhang.number, li.number);
    house.end().await;
    assert!(house.terminate());
    let data = house.data();
    let backup = data.with_file_name("backup");
    copy(&data, &backup);

    house.restart().await;
    let as_zhang = api::client::Client::new(&house.api).unwrap().with_token(&left);
    as_zhang.forget_me().await.unwrap();
    erased_at_the_platform(&house, zhang).await;
    house.end().await;
    assert!(house.terminate());
    let journal = std::fs::read_to_string(data.with_extension("erased")).unwrap();

    // The disk is lost; yesterday's copy is put back. The journal lies beside it.
    std::fs::remove_dir_all(&data).unwrap();
    copy(&backup, &data);
    for _ in 0..2 {
        house.restart().await;
        let there = api::client::Client::new(&house.api).unwrap();
        let as_zhang = there.clone().with_token(&left);
        let as_li = there.with_token(&stays);
        assert_eq!(code(as_zhang.me().await), "auth/invalid", "nobody sees the erased account for a moment");
        assert!(as_li.matches(None).await.unwrap().items.is_empty());
        erased_at_the_platform(&house, zhang).await;
        assert_eq!(products(&house, li).await, 5, "nobody else is touched");
        eventually("the queue to run empty", async || (house.metric("jobs_due").await == 0.0).then_some(()))
            .await;
        assert!(house.terminate());
        assert_eq!(std::fs::read_to_string(data.with_extension("erased")).unwrap(), journal);
    }
}
