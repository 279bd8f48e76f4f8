//! People who insist: each call is repeated until it is answered, so that after each answer it is known
//! what the servers must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use api::book::ReplaceBook;
use api::client::Client;
use api::feed::{FeedFilter, FeedItem};
use api::orders::Order;
use api::subscriptions::{Audience, SetShare, Subscription};
use domain::charging::ChargeKind;
use domain::ids::SubscriptionId;
use domain::order::{OrderAction, Progress, Reason};
use domain::world::World;

use super::journal::Journal;
use super::town::Town;
use crate::house::try_digits;

/// Numbers that the sharers have in their books.
pub(crate) const NUMBERS: usize = 3_000;
/// What the sharers have, and share or not.
const SERVICES: [&str; 3] = ["data10", "crbt", "reading"];

/// The number of a buyer.
pub(crate) fn buyer(place: usize) -> String {
    format!("+8613810{place:06}")
}

/// What everybody acts with.
pub(crate) struct Stage {
    pub(crate) town: Town,
    pub(crate) journal: Journal,
    pub(crate) dice: World,
    pub(crate) sharers: Vec<String>,
}

impl Stage {
    async fn upload(&self, token: &str, numbers: &[String]) -> Option<(i64, i64)> {
        let body = ReplaceBook { numbers: numbers.to_vec(), confirm_shrink: true };
        let put = async |client: Client| client.replace_book(&body, None).await;
        let changed = self.journal.take("an upload", self.town.insist(token, put).await)?;
        self.journal.count("uploads");
        Some((changed.version, changed.size))
    }

    async fn book(&self, token: &str) -> Option<(i64, i64)> {
        let look = async |client: Client| client.book().await;
        let book = self.journal.take("a look at a book", self.town.insist(token, look).await)?;
        Some((book.version, book.size))
    }

    async fn services(&self, token: &str) -> Option<Vec<Subscription>> {
        let look = async |client: Client| client.subscriptions(None).await;
        Some(self.journal.take("a look at services", self.town.insist(token, look).await)?.items)
    }

    pub(crate) async fn matches(&self, token: &str) -> Option<BTreeSet<String>> {
        let mut all = BTreeSet::new();
        let mut cursor: Option<String> = None;
        loop {
            let look = async |client: Client| client.matches(cursor.as_deref()).await;
            let page = self.journal.take("a look at matches", self.town.insist(token, look).await)?;
            all.extend(page.items.into_iter().map(|one| one.number));
            cursor = page.next;
            if cursor.is_none() {
                return Some(all);
            }
        }
    }
}

/// Somebody who has services, and goes on sharing them and not.
pub(crate) struct Sharer {
    token: String,
    base: Vec<String>,
    book: (i64, i64),
    services: BTreeMap<String, SubscriptionId>,
    shared: BTreeSet<String>,
}

impl Sharer {
    pub(crate) async fn begin(stage: &Stage, number: &str) -> Self {
        let token = stage.town.sign_in(number).await.expect("a sign-in in peace");
        let base: Vec<String> = (0..NUMBERS).map(buyer).collect();
        let book = stage.upload(&token, &base).await.unwrap();
        let look = async || {
            let services = stage.services(&token).await?;
            let known = services.iter().filter(|one| one.shareable).map(|one| (one.offering.clone(), one.id));
            let known: BTreeMap<String, SubscriptionId> = known.collect();
            SERVICES.iter().all(|one| known.contains_key(*one)).then_some(known)
        };
        let services = stage.town.wait_for("the sharer's services", look).await.unwrap();
        let mut sharer = Self { token, base, book, services, shared: BTreeSet::new() };
        for service in SERVICES {
            sharer.toggle(stage, service).await;
        }
        sharer
    }

    /// Acts until the journal is closed.
    pub(crate) async fn act(&mut self, stage: &Stage) {
        while !stage.journal.closing.load(Ordering::SeqCst) {
            match stage.dice.below(4) {
                0 => {
                    let more = stage.dice.below(50) as usize;
                    let strangers = (0..more).map(|n| format!("+8613790{n:06}"));
                    let numbers: Vec<String> = self.base.iter().cloned().chain(strangers).collect();
                    if let Some(book) = stage.upload(&self.token, &numbers).await {
                        self.book = book;
                    }
                }
                1 => self.verify(stage).await,
                _ => {
                    let service = SERVICES[stage.dice.below(3) as usize];
                    self.toggle(stage, service).await;
                }
            }
            tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        }
    }

    async fn toggle(&mut self, stage: &Stage, service: &str) {
        let id = self.services[service];
        if self.shared.remove(service) {
            let take_back = async |client: Client| client.unshare(id).await;
            stage.journal.take("taking a share back", stage.town.insist(&self.token, take_back).await);
            stage.journal.count("shares taken back");
        } else {
            let all = SetShare { audience: Audience::Matches };
            let share = async |client: Client| client.share(id, &all).await;
            stage.journal.take("a share", stage.town.insist(&self.token, share).await);
            stage.journal.count("shares");
            self.shared.insert(service.to_owned());
        }
    }

    /// What was acknowledged is what is there.
    pub(crate) async fn verify(&self, stage: &Stage) {
        if let Some(book) = stage.book(&self.token).await {
            stage.journal.must(book == self.book, || {
                format!("a sharer's book is {book:?} and was acknowledged as {:?}", self.book)
            });
        }
        if let Some(services) = stage.services(&self.token).await {
            let shared = services.into_iter().filter(|one| one.shared).map(|one| one.offering);
            let shared: BTreeSet<String> = shared.collect();
            stage.journal.must(shared == self.shared, || {
                format!("{shared:?} is shared, and {:?} was acknowledged", self.shared)
            });
        }
    }

    /// The sharer's matches are the buyers whose upload was acknowledged and who are still there.
    pub(crate) async fn verify_matches(&self, stage: &Stage, present: &BTreeSet<String>) {
        if let Some(matches) = stage.matches(&self.token).await {
            let missing = present.difference(&matches).count();
            let too_many = matches.difference(present).count();
            stage.journal.must(missing + too_many == 0, || {
                format!("{missing} of a sharer's matches are missing, {too_many} are too many")
            });
        }
    }
}

/// One tap and what came of it.
struct Tap {
    key: String,
    share: String,
    first: Order,
    end: Option<(Progress, Option<Reason>)>,
}

/// Somebody who signs in, uploads, orders, answers, and perhaps leaves.
pub(crate) struct Buyer {
    pub(crate) number: String,
    token: String,
    book: (i64, i64),
    taps: Vec<Tap>,
    has: BTreeSet<String>,
    answered: BTreeSet<(String, String)>,
    /// Whether an acknowledged erasure has ended the account.
    pub(crate) erased: bool,
}

impl Buyer {
    /// A life; `None` when a death came between the code and its confirmation.
    pub(crate) async fn live(stage: &Stage) -> Option<Self> {
        let place = stage.journal.next_number();
        assert!(place < NUMBERS, "the run is too long for its numbers");
        let number = buyer(place);
        let Some(token) = stage.town.sign_in(&number).await else {
            stage.journal.count("sign-ins lost before their acknowledgement");
            return None;
        };
        stage.journal.count("sign-ins");
        let book = stage.upload(&token, &stage.sharers).await?;
        let (taps, has, answered) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut buyer = Self { number, token, book, taps, has, answered, erased: false };
        let matches = stage.matches(&buyer.token).await?;
        stage.journal.must(stage.sharers.iter().all(|one| matches.contains(one)), || {
            "an acknowledged upload has made no match".to_owned()
        });
        for _ in 0..=stage.dice.below(2) {
            buyer.order(stage).await;
        }
        if stage.dice.below(3) == 0 {
            buyer.end_one(stage).await;
        }
        if stage.dice.below(3) == 0 {
            buyer.leave(stage).await;
        }
        Some(buyer)
    }

    async fn order(&mut self, stage: &Stage) -> Option<()> {
        let look = async |client: Client| client.feed(&FeedFilter::default(), None).await;
        let feed = stage.journal.take("a feed", stage.town.insist(&self.token, look).await)?.items;
        let wanted: Vec<&FeedItem> = feed.iter().filter(|one| !self.has.contains(&one.offering.id)).collect();
        if wanted.is_empty() {
            return None;
        }
        let card = wanted[stage.dice.below(wanted.len() as u32) as usize];
        let key = format!("{:032x}", u128::from_le_bytes(stage.dice.bytes()));
        let place = async |client: Client| client.place_order(&card.share_id, &key).await;
        let first = match stage.town.insist(&self.token, place).await {
            Ok(order) => order,
            // Taken back a moment ago.
            Err(code) if code == "not-found" => return None,
            Err(error) => return stage.journal.take("an order", Err(error)),
        };
        stage.journal.count("orders");
        let (share, offering) = (card.share_id.clone(), card.offering.id.clone());
        self.taps.push(Tap { key, share, first, end: None });
        self.repeat_last(stage).await;
        let expected = if offering == "data10" { None } else { self.answer(stage).await? };
        let (state, reason) = self.end_of_last(stage).await?;
        let expected = expected.unwrap_or((Progress::Completed, None));
        stage.journal.must((state, reason) == expected, || {
            format!("an order ended {state:?} {reason:?} instead of {expected:?}")
        });
        if state == Progress::Completed {
            self.has.insert(offering);
        }
        Some(())
    }

    async fn repeat_last(&self, stage: &Stage) {
        let Some(tap) = self.taps.last() else { return };
        let again = async |client: Client| client.place_order(&tap.share, &tap.key).await;
        if let Some(again) = stage.journal.take("a repeated tap", stage.town.insist(&self.token, again).await)
        {
            stage.journal.must(again == tap.first, || "a repeated tap got another first answer".to_owned());
        }
    }

    async fn state_of_last(&self, stage: &Stage) -> Option<Order> {
        let id = self.taps.last()?.first.id;
        let look = async |client: Client| client.order(id, 0).await;
        stage.journal.take("a look at an order", stage.town.insist(&self.token, look).await)
    }

    /// Answers the prompt; says how the order must end then. One whose prompt was lost twice is cancelled.
    async fn answer(&mut self, stage: &Stage) -> Option<Option<(Progress, Option<Reason>)>> {
        let patience = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        let prompt = loop {
            let texts = stage.town.texts(&self.number).await.into_iter();
            let mut prompts = texts.filter_map(|text| Some((text.from, try_digits(&text.text, 4)?)));
            if let Some(prompt) = prompts.find(|prompt| !self.answered.contains(prompt)) {
                break Some(prompt);
            }
            if tokio::time::Instant::now() > patience {
                break None;
            }
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        };
        let Some((from, code)) = prompt else {
            let id = self.taps.last()?.first.id;
            let cancel = async |client: Client| client.cancel_order(id).await;
            stage.journal.take("a cancellation", stage.town.insist(&self.token, cancel).await)?;
            stage.journal.count("orders cancelled because their prompt was lost twice");
            return Some(Some((Progress::Cancelled, Some(Reason::UserCancelled))));
        };
        let wrong = if code == "1357" { "2468" } else { "1357" };
        let (reply, end) = match stage.dice.below(6) {
            0 => ("否", (Progress::Cancelled, Some(Reason::UserDeclined))),
            1 => (wrong, (Progress::Cancelled, Some(Reason::ConfirmationMismatch))),
            _ => (code.as_str(), (Progress::Completed, None)),
        };
        for _ in 0..=stage.dice.below(2) {
            stage.town.centre.reply(&self.number, &from, reply).await.unwrap();
        }
        stage.journal.count("replies");
        self.answered.insert((from, code));
        Some(Some(end))
    }

    async fn end_of_last(&mut self, stage: &Stage) -> Option<(Progress, Option<Reason>)> {
        let look = async || {
            let order = self.state_of_last(stage).await?;
            order.state.is_final().then_some((order.state, order.reason))
        };
        let end = match stage.town.wait_for("an order's end", look).await {
            Ok(end) => end,
            Err(error) => {
                let state = self.state_of_last(stage).await.map(|order| order.state);
                stage.journal.violation(format!("{error}: it is still {state:?}"));
                return None;
            }
        };
        stage.journal.count("orders ended");
        self.taps.last_mut()?.end = Some(end);
        Some(end)
    }

    /// Unsubscribes from something.
    async fn end_one(&mut self, stage: &Stage) -> Option<()> {
        let offering = self.has.first()?.clone();
        let known = async || {
            let services = stage.services(&self.token).await?;
            services.into_iter().find(|one| one.offering == offering).map(|one| one.id)
        };
        let known = stage.town.wait_for("a subscription to show", known).await;
        let id = stage.journal.take("what was ordered", known)?;
        let end = async |client: Client| client.unsubscribe(id).await;
        match stage.town.insist(&self.token, end).await {
            Ok(_) => stage.journal.count("unsubscriptions"),
            // The one before was taken and its answer lost.
            Err(code) if code == "not-found" => {}
            Err(error) => return stage.journal.take("an unsubscription", Err(error)),
        }
        let gone = async || {
            let services = stage.services(&self.token).await?;
            (!services.iter().any(|one| one.offering == offering)).then_some(())
        };
        let gone = stage.town.wait_for("a subscription to end", gone).await;
        stage.journal.take("what was ended", gone)?;
        self.has.remove(&offering);
        Some(())
    }

    async fn leave(&mut self, stage: &Stage) {
        let leave = async |client: Client| client.forget_me().await;
        match stage.town.insist(&self.token, leave).await {
            Ok(()) => stage.journal.count("erasures"),
            // The one before was done and its answer lost.
            Err(code) if code == "auth/invalid" => {}
            Err(error) => return stage.journal.violation(format!("an erasure: {error}")),
        }
        self.erased = true;
    }

    /// Each subscription that began was charged once at the charging system, and given back once at most.
    async fn verify_charges(&self, stage: &Stage) -> Option<()> {
        let Stage { town, journal, .. } = stage;
        journal.take("charge events", town.all_handed_over().await)?;
        let charged = town.charged(&self.number);
        let begun = |end: &(Progress, Option<Reason>)| end.0 == Progress::Completed;
        let completed = self.taps.iter().filter(|tap| tap.end.as_ref().is_some_and(begun)).count();
        let activations = charged.iter().filter(|event| event.kind == ChargeKind::Activation).count();
        journal.must(activations == completed, || {
            format!("{activations} activations were charged for {completed} completed orders")
        });
        let once: BTreeSet<_> =
            charged.iter().map(|event| (event.product, event.period_no, event.kind.word())).collect();
        journal.must(once.len() == charged.len(), || "a charge is doubled".to_owned());
        let in_order = charged.iter().zip(1..).all(|(event, place)| event.payer_no == place);
        journal.must(in_order, || "charge events came out of order, or one is missing".to_owned());
        Some(())
    }

    /// Whoever has left is nowhere any more, and what they owed was charged.
    async fn verify_erased(&self, stage: &Stage) -> Option<()> {
        let Stage { town, journal, .. } = stage;
        let gone = async || {
            let products = town.list("productInventory/v4/product", &self.number).await.ok()?;
            let orders = town.list("productOrderingManagement/v4/productOrder", &self.number).await.ok()?;
            (products.is_empty() && orders.is_empty()).then_some(())
        };
        journal.take("the platform to erase", town.wait_for("the platform to erase", gone).await)?;
        self.verify_charges(stage).await;
        let me = town.insist(&self.token, async |client: Client| client.me().await).await;
        journal.must(me.as_ref().err().is_some_and(|code| code == "auth/invalid"), || {
            "an erased account is still there".to_owned()
        });
        Some(())
    }

    /// What was acknowledged is what is there, at both roles.
    pub(crate) async fn verify(&self, stage: &Stage) -> Option<()> {
        let Stage { town, journal, .. } = stage;
        let alike = |tap: &Tap| self.taps.iter().filter(|one| one.end == tap.end).count();
        let ended_alike = self.taps.iter().map(alike).max().unwrap_or(0);
        for fault in town.text_faults(&self.number, ended_alike).await {
            journal.violation(fault);
        }
        if self.erased {
            return self.verify_erased(stage).await;
        }
        let products =
            journal.take("products", town.list("productInventory/v4/product", &self.number).await)?;
        let active = products.iter().filter(|one| one["status"] == "active");
        let active: Vec<&str> = active.filter_map(|one| one["productOffering"]["id"].as_str()).collect();
        let once: BTreeSet<String> = active.iter().map(|one| (*one).to_owned()).collect();
        journal.must(active.len() == once.len(), || "a subscription is doubled".to_owned());
        journal.must(once == self.has, || format!("subscribed to {once:?} instead of {:?}", self.has));
        self.verify_charges(stage).await;
        let orders = town.list("productOrderingManagement/v4/productOrder", &self.number).await;
        let orders = journal.take("orders at the platform", orders)?;
        let ids: Vec<&str> = orders.iter().filter_map(|one| one["externalId"].as_str()).collect();
        for tap in &self.taps {
            let id = tap.first.id.to_string();
            let count = ids.iter().filter(|one| **one == id).count();
            let withdrawn = tap.end == Some((Progress::Cancelled, Some(Reason::UserCancelled)));
            journal.must(count == 1 || (count == 0 && withdrawn), || {
                format!("the platform has {count} orders for one tap")
            });
        }
        let look = async |client: Client| client.me().await;
        let me = town.insist(&self.token, look).await;
        journal.take("a session that was acknowledged", me)?;
        let book = stage.book(&self.token).await?;
        journal.must(book == self.book, || format!("a book is {book:?}, acknowledged was {:?}", self.book));
        let look = async |client: Client| client.orders(None).await;
        let orders = journal.take("a list of orders", town.insist(&self.token, look).await)?.items;
        let added = orders.iter().filter(|order| order.action == OrderAction::Add).count();
        journal.must(added == self.taps.len(), || format!("{added} orders for {} taps", self.taps.len()));
        for tap in &self.taps {
            let order = orders.iter().find(|order| order.id == tap.first.id);
            let end = order.map(|order| (order.state, order.reason));
            journal.must(end == tap.end, || format!("an order that ended {:?} is now {end:?}", tap.end));
            let again = async |client: Client| client.place_order(&tap.share, &tap.key).await;
            let again = journal.take("a tap repeated at the end", town.insist(&self.token, again).await)?;
            journal.must(again == tap.first, || "a first answer is forgotten".to_owned());
        }
        Some(())
    }
}
