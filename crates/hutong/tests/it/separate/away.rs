//! A process that is away: what needs it is refused or waits, everything else goes on, and nothing is lost.

use api::orders::Order;
use domain::order::Progress;
use serde_json::Value;

use super::town::Town;
use crate::house::{Person, digits, eventually, http};

/// What a call without its process is answered: status, code, when to try again.
async fn answer(api: &str, path: &str, person: &Person<'_>) -> (u16, String, bool) {
    let answer = http().get(format!("{api}{path}")).bearer_auth(person.token()).send().await.unwrap();
    let (status, later) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    (status, body["code"].as_str().unwrap_or("").to_owned(), later)
}

fn away() -> (u16, String, bool) {
    (503, "peer/unavailable".to_owned(), true)
}

fn fine() -> (u16, String, bool) {
    (200, String::new(), false)
}

async fn state(person: &Person<'_>, order: &Order) -> Progress {
    person.client.order(order.id, 0).await.unwrap().state
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_process_is_away_the_others_go_on_and_what_waited_for_it_is_done_when_it_is_back() {
    let Some(mut town) = Town::start().await else { return };
    let (li, zhang) = {
        let (li, zhang) = town.house.friends().await;
        li.share("data10").await;
        li.share("crbt").await;
        (li.token(), zhang.token())
    };
    the_platform(&mut town, &zhang).await;
    contacts(&mut town, &zhang).await;
    the_exchange(&mut town, &li, &zhang).await;
    sms(&mut town).await;
    an_older_database(&mut town, &zhang).await;
    town.end().await;
}

/// The same people, each with the token of before.
fn again<'a>(town: &'a Town, number: &'static str, token: &str) -> Person<'a> {
    let mut person = town.house.stranger(number);
    person.resume(token);
    person
}

const LI: &str = "+8613900139002";
const ZHANG: &str = "+8613800138001";

/// An order waits for the platform, and an order is one, however long it waits.
async fn the_platform(town: &mut Town, zhang: &str) {
    town.platform.kill();
    let order = {
        let zhang = again(town, ZHANG, zhang);
        let order = zhang.tap("data10", "while-the-platform-is-away").await;
        assert_eq!(zhang.tap("data10", "while-the-platform-is-away").await.id, order.id);
        assert_eq!(state(&zhang, &order).await, Progress::Queued);
        assert_eq!(zhang.feed().await.len(), 2);
        order
    };
    town.platform.restart().await;
    let zhang = again(town, ZHANG, zhang);
    zhang.wait(&order, Progress::Completed).await;
    assert_eq!(town.house.active_products(ZHANG, "data10").await, 1);
}

/// Without contacts nobody signs in and no book changes; the feed and orders go on at the exchange's own address.
async fn contacts(town: &mut Town, zhang: &str) {
    town.contacts.kill();
    {
        let person = again(town, ZHANG, zhang);
        let at = &town.exchange.api;
        for path in ["/v1/me", "/v1/matches", "/v1/book", "/v1/book/backup"] {
            assert_eq!(answer(at, path, &person).await, away(), "{path}");
        }
        for path in ["/v1/feed", "/v1/orders", "/v1/subscriptions"] {
            assert_eq!(answer(at, path, &person).await, fine(), "{path}");
        }
    }
    town.contacts.restart().await;
    let person = again(town, ZHANG, zhang);
    assert_eq!(answer(&town.exchange.api, "/v1/me", &person).await, fine());
}

/// Without the exchange books change and people match; what they are to hear of it they hear when it is back.
async fn the_exchange(town: &mut Town, li: &str, zhang: &str) {
    town.exchange.kill();
    {
        let (li, zhang) = (again(town, LI, li), again(town, ZHANG, zhang));
        for path in ["/v1/feed", "/v1/orders", "/v1/events"] {
            assert_eq!(answer(&town.contacts.api, path, &zhang).await, away(), "{path}");
        }
        assert_eq!(answer(&town.contacts.api, "/v1/matches", &zhang).await, fine());
        zhang.upload(&[]).await;
        assert!(li.matches().await.is_empty());
        assert_eq!(zhang.upload(&[LI]).await.new_matches, [LI]);
    }
    town.exchange.restart().await;
    let (li, zhang) = (again(town, LI, li), again(town, ZHANG, zhang));
    assert_eq!(zhang.feed().await.len(), 2, "matched again while nobody showed feeds");
    super::story::hears(&li, "match").await;
}

/// A sign-in code waits for the process that sends texts.
async fn sms(town: &mut Town) {
    town.sms.kill();
    let before = town.house.centre.texts("+8613700137003").await.len();
    let id = town.house.stranger("+8613700137003").begin().await;
    town.sms.restart().await;
    let text = eventually("the code", async || {
        town.house.centre.texts("+8613700137003").await.into_iter().nth(before)
    });
    let code = digits(&text.await.text, 6);
    town.house.stranger("+8613700137003").confirm(id, &code, vec![]).await.unwrap();
}

/// Who was erased and stands in a database that was put back is erased by contacts, and the exchange waits for that.
async fn an_older_database(town: &mut Town, zhang: &str) {
    again(town, ZHANG, zhang).client.forget_me().await.unwrap();
    // The exchange has it in its own journal once it has had the platform erase its part.
    eventually("the platform to have erased", async || {
        town.house.list("productInventory/v4/product", ZHANG).await.is_empty().then_some(())
    })
    .await;
    eventually("the exchange's journal", async || town.exchange.journal().contains("account").then_some(()))
        .await;
    town.exchange.kill();
    town.contacts.kill();
    town.cluster.ask(Town::SHARED, "DELETE FROM erasure");
    let refused = town.exchange.refused();
    assert!(refused.contains("start that one first"), "{refused}");
    town.contacts.restart().await;
    assert_eq!(town.cluster.ask(Town::SHARED, "SELECT COUNT(*) FROM erasure WHERE what = 'account'"), "1");
    town.exchange.restart().await;
}
