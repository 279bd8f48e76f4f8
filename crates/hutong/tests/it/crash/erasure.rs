//! An erasure dies, errs and dawdles between any two of its steps: it is done here, at the platform and in the
//! journal, and stays done.

use std::collections::VecDeque;
use std::sync::Mutex;

use api::client::Client;
use serde_json::json;
use store::failpoints::Point;

use super::town::Town;

/// Commits of an erasure and of the platform's part that are walked through one by one.
const COMMITS: usize = 8;

/// Every place of an erasure, with what happens there.
fn arms() -> VecDeque<String> {
    let own = Point::ERASURE
        .iter()
        .flat_map(|point| ["abort", "error", "delay"].map(|action| format!("{} 0 {action}", point.word())));
    let commits = (0..COMMITS).flat_map(|commit| {
        [Point::BeforeCommit, Point::AfterCommit].map(|point| format!("{} {commit} abort", point.word()))
    });
    own.chain(commits).collect()
}

fn journalled(town: &Town) -> usize {
    let text = std::fs::read_to_string(town.directory().with_extension("erased")).unwrap_or_default();
    text.lines().filter(|line| line.contains(" account ") && line.ends_with(" .")).count()
}

/// Erases somebody who has a service, with one place armed.
async fn erase_through(town: &Town, number: &str, arm: &str) {
    let seed = json!({ "providers": [], "offerings": [], "subscriptions": [
        { "number": number, "offering": "crbt", "since": "2026-01-01T00:00:00Z" }] });
    town.seed(seed.to_string()).await;
    let token = town.sign_in(number).await.unwrap();
    let there = async || {
        let services = town.insist(&token, async |client: Client| client.subscriptions(None).await).await;
        (services.ok()?.items.len() == 1).then_some(())
    };
    town.wait_for("the subscription", there).await.unwrap();
    town.idle().await.unwrap();
    let before = journalled(town);
    town.arm(arm);
    let gone = town.insist(&token, async |client: Client| client.forget_me().await).await;
    // The one before was done and its answer lost.
    assert!(gone == Ok(()) || gone == Err("auth/invalid".to_owned()), "{arm}: {gone:?}");
    let out = async || {
        let products = town.list("productInventory/v4/product", number).await.ok()?;
        products.is_empty().then_some(())
    };
    town.wait_for("the platform to have erased", out).await.unwrap();
    town.idle().await.unwrap();
    let reached = town.disarm();
    assert!(reached || arm.contains("commit"), "{arm} is not on an erasure's way");
    assert_eq!(journalled(town), before + 1, "{arm}: one line in the journal");
    town.kill().await;
    let me = town.insist(&token, async |client: Client| client.me().await).await;
    assert_eq!(me.map(drop), Err("auth/invalid".to_owned()), "{arm}: gone, and after a kill as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_passes_every_fail_point_and_each_of_its_commits_and_is_done_once() {
    let arms = Mutex::new(arms());
    let walk = async |lane: usize| {
        let town = Town::new(false).await;
        town.start().await;
        town.seed(include_str!("../../../../../examples/catalogue.json").to_owned()).await;
        for n in 0.. {
            let Some(arm) = arms.lock().unwrap().pop_front() else { break };
            erase_through(&town, &format!("+86138{lane:02}00{n:04}"), &arm).await;
        }
        assert_eq!(town.check().await, Ok(()));
    };
    futures::future::join_all((0..4).map(walk)).await;
}
