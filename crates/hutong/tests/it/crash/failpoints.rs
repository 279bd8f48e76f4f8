//! One order through every fail point, with abort, error and delay: it ends completed, once.

use api::book::ReplaceBook;
use api::client::Client;
use api::feed::FeedFilter;
use api::subscriptions::{Audience, SetShare};
use domain::order::Progress;
use store::failpoints::Point;

use super::town::Town;
use crate::house::try_digits;

const LI: &str = "+8613900139002";
/// More commits than this on an order's way would be a mistake.
const COMMITS_MAX: usize = 120;

/// A town in which Li shares ring tones, and buyers who are Li's friends.
struct Walk {
    town: Town,
    buyers: Vec<String>,
    bought: usize,
}

impl Walk {
    async fn begin(lane: usize) -> Self {
        let town = Town::new(false).await;
        town.start().await;
        town.seed(include_str!("../../../../../examples/catalogue.json").to_owned()).await;
        let buyers: Vec<String> = (0..400).map(|n| format!("+86138{lane}000{n:04}")).collect();
        let li = town.sign_in(LI).await.unwrap();
        upload(&town, &li, buyers.clone()).await;
        let service = async || {
            let services = town.insist(&li, async |client: Client| client.subscriptions(None).await).await;
            services.unwrap().items.into_iter().find(|one| one.offering == "crbt")
        };
        let service = town.wait_for("Li's subscription", service).await.unwrap();
        let all = SetShare { audience: Audience::Matches };
        town.insist(&li, async |client: Client| client.share(service.id, &all).await).await.unwrap();
        Self { town, buyers, bought: 0 }
    }

    /// Runs one order with a point armed, and says whether the point was reached on its way.
    async fn order(&mut self, arm: &str) -> bool {
        let number = self.buyers[self.bought].clone();
        self.bought += 1;
        let town = &self.town;
        let token = town.sign_in(&number).await.unwrap();
        upload(town, &token, vec![LI.to_owned()]).await;
        let card = async || {
            let feed = async |client: Client| client.feed(&FeedFilter::default(), None).await;
            let mut items = town.insist(&token, feed).await.unwrap().items;
            items.pop().map(|item| item.share_id)
        };
        let card = town.wait_for("the card", card).await.unwrap();
        town.idle().await.unwrap();
        town.arm(arm);
        let place = async |client: Client| client.place_order(&card, "the-tap").await;
        let placed = town.insist(&token, place).await.unwrap();
        let prompt = async || {
            let texts = town.texts(&number).await;
            texts.into_iter().find_map(|text| Some((text.from, try_digits(&text.text, 4)?)))
        };
        let (from, code) = town.wait_for("the confirmation text", prompt).await.unwrap();
        town.centre.reply(&number, &from, &code).await.unwrap();
        let ended = async || {
            let order = async |client: Client| client.order(placed.id, 0).await;
            let state = town.insist(&token, order).await.unwrap().state;
            state.is_final().then_some(state)
        };
        let state = town.wait_for("the order's end", ended).await.unwrap();
        assert_eq!(state, Progress::Completed, "{arm}");
        let receipt =
            async || town.texts(&number).await.iter().any(|text| text.text.contains("已开通")).then_some(());
        town.wait_for("the receipt", receipt).await.unwrap();
        town.idle().await.unwrap();
        let reached = town.disarm();
        town.idle().await.unwrap();
        let again = town.insist(&token, place).await.unwrap();
        assert_eq!(again, placed, "the first answer is repeated, {arm}");
        let products = town.list("productInventory/v4/product", &number).await.unwrap();
        assert_eq!(products.len(), 1, "one subscription, {arm}");
        assert_eq!(products[0]["status"], "active", "{arm}");
        let orders = town.list("productOrderingManagement/v4/productOrder", &number).await.unwrap();
        assert_eq!(orders.len(), 1, "one order, {arm}");
        reached
    }

    /// Ends the walk: nothing in the queue, no text too often, and the data in order.
    async fn end(self) {
        self.town.idle().await.unwrap();
        assert_eq!(self.town.metric("jobs_set_aside").await, Some(0.0));
        for number in &self.buyers[..self.bought] {
            assert_eq!(self.town.text_faults(number).await, Vec::<String>::new());
        }
        assert_eq!(self.town.check().await, Ok(()));
    }
}

async fn upload(town: &Town, token: &str, numbers: Vec<String>) {
    let body = ReplaceBook { numbers, confirm_shrink: true };
    town.insist(token, async |client: Client| client.replace_book(&body, None).await).await.unwrap();
}

async fn walk(lane: usize, arms: Vec<String>) {
    let mut walk = Walk::begin(lane).await;
    for arm in arms {
        assert!(walk.order(&arm).await, "{arm} is not on an order's way");
    }
    walk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_passes_every_fail_point_with_abort_error_and_delay_and_ends_once() {
    let mut lanes = vec![Vec::new(); 3];
    let arms = Point::ALL
        .iter()
        .flat_map(|point| ["abort", "error", "delay"].map(|action| format!("{} 0 {action}", point.word())));
    for (place, arm) in arms.enumerate() {
        lanes[place % 3].push(arm);
    }
    futures::future::join_all(lanes.into_iter().enumerate().map(|(lane, arms)| walk(lane, arms))).await;
}

/// Every so many commits of an order's way, each in an order of its own; two lanes of two steps between
/// them pass every commit.
async fn walk_commits(lane: usize, point: Point, first: usize, step: usize, action: &str) -> usize {
    let mut walk = Walk::begin(lane).await;
    let mut commit = first;
    while walk.order(&format!("{} {commit} {action}", point.word())).await {
        assert!(commit < COMMITS_MAX, "an order's way has no end");
        commit += step;
    }
    walk.end().await;
    commit
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_survives_an_abort_at_each_commit_of_its_way() {
    let (before, after) = tokio::join!(
        walk_commits(4, Point::BeforeCommit, 0, 2, "abort"),
        walk_commits(5, Point::AfterCommit, 1, 2, "abort")
    );
    assert!(before.min(after) > 10, "an order has more commits than {before} or {after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_survives_commits_of_its_way_that_fail_or_only_seem_to() {
    let (before, after) = tokio::join!(
        walk_commits(6, Point::BeforeCommit, 1, 3, "error"),
        walk_commits(7, Point::AfterCommit, 0, 3, "error")
    );
    assert!(before.min(after) > 10, "an order has more commits than {before} or {after}");
}
