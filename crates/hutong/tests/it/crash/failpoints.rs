//! One order through every fail point, with abort, error and delay: it ends completed, once.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::book::ReplaceBook;
use api::client::Client;
use api::feed::FeedFilter;
use api::subscriptions::{Audience, SetShare};
use domain::charging::ChargeKind;
use domain::order::Progress;
use domain::provisioning::ProvisioningAction;
use store::failpoints::Point;

use super::town::Town;
use crate::house::try_digits;
use crate::inside::house::database;

const LI: &str = "+8613900139002";
/// More commits than this on an order's way would be a mistake.
const COMMITS_MAX: usize = 120;
/// Fewer could not be: tap, forward, decision, text, reply, product, charge, receipt, and the jobs between them.
const COMMITS_MIN: usize = 15;

/// Where the servers keep their data.
#[derive(Clone, Copy)]
enum Kept {
    Embedded,
    Postgres,
}

/// A town in which Li shares ring tones, and buyers who are Li's friends.
struct Walk {
    town: Town,
    buyers: Vec<String>,
    bought: usize,
}

impl Walk {
    async fn begin(lane: usize, kept: Kept) -> Self {
        let town = match kept {
            Kept::Embedded => Town::new(false).await,
            Kept::Postgres => Town::on_postgres(database(&format!("walk_{lane}")).unwrap()).await,
        };
        town.start().await;
        town.seed(include_str!("../../../../../examples/catalogue.json").to_owned()).await;
        let buyers: Vec<String> = (0..400).map(|n| format!("+86138{lane:02}00{n:04}")).collect();
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
        town.all_handed_over().await.unwrap();
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
        let charged: Vec<_> = town.charged(&number).iter().map(|event| event.kind).collect();
        assert_eq!(charged, [ChargeKind::Activation], "charged once, {arm}");
        assert_eq!(town.provisioned(&number), [ProvisioningAction::Activate], "started once, {arm}");
        reached
    }

    /// Ends the walk: nothing in the queue, no text too often, and the data in order.
    async fn end(self) {
        self.town.idle().await.unwrap();
        assert_eq!(self.town.metric("jobs_set_aside").await, Some(0.0));
        for number in &self.buyers[..self.bought] {
            assert_eq!(self.town.text_faults(number, 1).await, Vec::<String>::new());
        }
        assert_eq!(self.town.check().await, Ok(()));
    }
}

async fn upload(town: &Town, token: &str, numbers: Vec<String>) {
    let body = ReplaceBook { numbers, confirm_shrink: true };
    town.insist(token, async |client: Client| client.replace_book(&body, None).await).await.unwrap();
}

/// Several towns at once, each of which walks what comes next until nothing does: what makes a walk long
/// is waiting, for a lease to end or a job to be tried again.
async fn walk(lanes: Range<usize>, kept: Kept, next: impl Fn() -> Option<String>) {
    let lane = async |lane| {
        let mut walk = Walk::begin(lane, kept).await;
        while let Some(arm) = next() {
            assert!(walk.order(&arm).await, "{arm} is not on an order's way");
        }
        walk.end().await;
    };
    futures::future::join_all(lanes.map(lane)).await;
}

/// Every point there is with each of the actions: one that is registered and not on the way fails the walk.
fn all_points(actions: &[&str]) -> impl Fn() -> Option<String> {
    let of_point = |point: Point| actions.iter().map(move |action| format!("{} 0 {action}", point.word()));
    let arms: VecDeque<String> = Point::ALL.iter().copied().flat_map(of_point).collect();
    let arms = Mutex::new(arms);
    move || arms.lock().unwrap().pop_front()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_passes_every_fail_point_with_abort_error_and_delay_and_ends_once() {
    walk(0..6, Kept::Embedded, all_points(&["abort", "error", "delay"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_passes_every_fail_point_with_abort_and_ends_once_on_postgresql() {
    if std::env::var("HUTONG_TEST_POSTGRES").is_ok() || std::env::var("CI").is_ok() {
        walk(10..14, Kept::Postgres, all_points(&["abort"])).await;
    }
}

/// Each commit of an order's way in an order of its own, before and after it becomes durable, until the way
/// has no more commits.
async fn walk_commits(lanes: Range<usize>, action: &str) {
    let next = AtomicUsize::new(0);
    let lane = async |lane| {
        let mut walk = Walk::begin(lane, Kept::Embedded).await;
        loop {
            let turn = next.fetch_add(1, Ordering::SeqCst);
            let (point, commit) = ([Point::BeforeCommit, Point::AfterCommit][turn % 2], turn / 2);
            if !walk.order(&format!("{} {commit} {action}", point.word())).await {
                break;
            }
            assert!(commit < COMMITS_MAX, "an order's way has no end");
        }
        walk.end().await;
    };
    let count = lanes.len();
    futures::future::join_all(lanes.map(lane)).await;
    let commits = next.into_inner().saturating_sub(count) / 2;
    assert!(commits > COMMITS_MIN, "an order has more commits than {commits}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_survives_an_abort_before_and_after_each_commit_of_its_way() {
    walk_commits(20..24, "abort").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_survives_each_commit_of_its_way_that_fails_or_only_seems_to() {
    walk_commits(30..44, "error").await;
}
