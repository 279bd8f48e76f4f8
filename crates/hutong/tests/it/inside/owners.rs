//! Numbers that get a new owner, and SIMs that were swapped: what the operator's network says of them.

use std::sync::atomic::Ordering;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tmf::camara::Unanswered;

use super::house::{Answer, Inside, Person};

const DAY_S: i64 = 86_400;
const UNCHECKED: &str = "registration/number-unchecked";

/// Somebody has services, shares them with a friend, has an order open and a backup; then a hundred days go by.
async fn former_owner(house: &Inside) -> (Person, Person) {
    let (former, friend) = (Person::new(1), Person::new(2));
    house.register(&former).await;
    house.register(&friend).await;
    house.subscribe(&former, &["data10", "reading"]).await;
    house.subscribe(&friend, &["crbt"]).await;
    house.upload(&former, &[&friend.number]).await;
    house.upload(&friend, &[&former.number]).await;
    house.share(&former, "reading", None).await.unwrap();
    house.share(&friend, "crbt", None).await.unwrap();
    let card = house.card(&former, "crbt").await.unwrap();
    house.tap(&former, &card, "tap").await;
    house.settle().await;
    house.clock.advance_s(100 * DAY_S);
    (former, friend)
}

async fn confirm(house: &Inside, path: &str, code: &str) -> Answer {
    let body = json!({ "code": code, "consents": ["upload", "subscriptions"] }).to_string();
    house.call(&nobody(), Method::POST, path, Some(&body), &[]).await
}

fn nobody() -> Person {
    Person { number: String::new(), token: "nobody".to_owned() }
}

/// Signs in at a number, as whoever holds it now.
async fn sign_in(house: &Inside, number: &str) -> Person {
    let (path, code) = house.code_for(&nobody(), number).await;
    let signed_in = confirm(house, &path, &code).await;
    assert_eq!(signed_in.status, StatusCode::CREATED, "{signed_in:?}");
    let token = signed_in.json()["token"].as_str().unwrap().to_owned();
    Person { number: number.to_owned(), token }
}

async fn count(house: &Inside, who: &Person, path: &str) -> usize {
    house.get(who, path).await.json()["items"].as_array().map_or(usize::MAX, Vec::len)
}

/// Nothing of the former owner is there for the new one, nor for the former's friends.
async fn starts_with_nothing(house: &Inside, new: &Person, friend: &Person) {
    starts_here_with_nothing(house, new, friend).await;
    let query = format!("relatedParty.id={}", new.path());
    for list in ["productInventory/v4/product", "productOrderingManagement/v4/productOrder"] {
        let theirs = house.platform_list(&format!("/tmf-api/{list}?{query}")).await;
        assert_eq!(theirs, Vec::<Value>::new(), "{list}");
    }
}

/// The same, whatever the platform still has.
async fn starts_here_with_nothing(house: &Inside, new: &Person, friend: &Person) {
    for path in ["/v1/subscriptions", "/v1/matches", "/v1/feed", "/v1/orders"] {
        assert_eq!(count(house, new, path).await, 0, "{path}");
    }
    let export = house.get(new, "/v1/me/export").await.json();
    assert_eq!((&export["book"]["size"], &export["backup_bytes"]), (&json!(0), &Value::Null), "{export}");
    assert_eq!(export["activity"], json!([]));
    assert_eq!((count(house, friend, "/v1/matches").await, count(house, friend, "/v1/feed").await), (0, 0));
}

async fn closes_the_former_account(house: &Inside) {
    let (former, friend) = former_owner(house).await;
    house.network.say(Ok(true));
    let new = sign_in(house, &former.number).await;
    // The answer that lets the new owner in comes after all of it is gone.
    starts_with_nothing(house, &new, &friend).await;
    assert_eq!(house.get(&former, "/v1/me").await.status, StatusCode::UNAUTHORIZED, "the old device");
    let asked = house.network.owners_asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1, "the friend's own sign-in was young");

    house.settle().await;
    starts_with_nothing(house, &new, &friend).await;
    // The new owner's own account is not closed at the next sign-in, whatever is said for the day it began.
    house.clock.advance_s(60);
    let second = sign_in(house, &former.number).await;
    let me = async |who: &Person| house.get(who, "/v1/me").await.json()["id"].clone();
    assert_eq!(me(&second).await, me(&new).await);
    assert_eq!(house.network.owners_asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_recycled_number_takes_all_of_its_former_owner_with_it_before_the_new_one_sees_anything() {
    let directory = tempfile::tempdir().unwrap();
    closes_the_former_account(&Inside::embedded(directory.path()).await).await;
}

#[tokio::test]
async fn a_recycled_number_takes_all_of_its_former_owner_with_it_on_postgresql() {
    if let Some(house) = Inside::postgres("recycled").await {
        closes_the_former_account(&house).await;
    }
}

#[tokio::test]
async fn a_number_that_the_network_knows_as_before_keeps_its_account() {
    let directory = tempfile::tempdir().unwrap();
    let house = Inside::embedded(directory.path()).await;
    let (former, _) = former_owner(&house).await;
    let again = sign_in(&house, &former.number).await;
    assert_eq!(count(&house, &again, "/v1/subscriptions").await, 2);
    assert_eq!(count(&house, &again, "/v1/matches").await, 1);
    assert_eq!(house.get(&former, "/v1/me").await.status, StatusCode::OK, "the first device stays signed in");
    assert_eq!(house.network.owners_asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_wrong_code_asks_the_network_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let house = Inside::embedded(directory.path()).await;
    let (former, _) = former_owner(&house).await;
    house.network.say(Ok(true));
    let (path, code) = house.code_for(&nobody(), &former.number).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(confirm(&house, &path, wrong).await.json()["code"], "registration/wrong-code");
    assert!(house.network.owners_asked.lock().unwrap().is_empty());
    assert_eq!(house.get(&former, "/v1/me").await.status, StatusCode::OK, "nothing is closed for a guess");
}

#[tokio::test]
async fn a_list_of_what_the_former_owner_has_that_comes_late_is_not_the_new_ones() {
    let directory = tempfile::tempdir().unwrap();
    let house = Inside::embedded(directory.path()).await;
    let (former, friend) = former_owner(&house).await;
    house.network.say(Ok(true));
    let (path, code) = house.code_for(&nobody(), &former.number).await;
    for consent in [Method::DELETE, Method::PUT] {
        let body = (consent == Method::PUT).then_some("{}");
        house.call(&former, consent, "/v1/consents/subscriptions", body, &[]).await;
    }
    let first = house.gate.shut().await;
    let signing_in = async {
        house.gate.one_waits().await;
        house.clock.advance_s(1);
        let token = confirm(&house, &path, &code).await.json()["token"].as_str().unwrap().to_owned();
        let new = Person { number: former.number.clone(), token };
        drop(first);
        // The new owner's own list is asked for once the late one has been dealt with.
        let second = house.gate.shut().await;
        house.gate.one_waits().await;
        starts_with_nothing(&house, &new, &friend).await;
        drop(second);
        new
    };
    let (new, ()) = tokio::join!(signing_in, house.settle());
    starts_with_nothing(&house, &new, &friend).await;
}

#[tokio::test]
async fn an_event_about_the_former_owner_that_comes_late_is_not_the_new_ones() {
    let directory = tempfile::tempdir().unwrap();
    let house = Inside::embedded(directory.path()).await;
    let (former, friend) = former_owner(&house).await;
    house.network.say(Ok(true));
    let health = json!({ "number": former.number, "offering": "health", "since": "2026-01-01T00:00:00Z" });
    let seed = json!({ "providers": [], "offerings": [], "subscriptions": [health] });
    house.seed_unsettled(&seed.to_string()).await;
    house.clock.advance_s(1);
    let new = sign_in(&house, &former.number).await;
    let shut = house.told.shut().await;
    let looking = async {
        house.told.one_waits().await;
        starts_with_nothing(&house, &new, &friend).await;
        drop(shut);
    };
    tokio::join!(looking, house.settle());
    starts_with_nothing(&house, &new, &friend).await;
}

#[tokio::test]
async fn while_the_network_is_silent_an_account_in_use_opens_and_an_old_one_stays_shut_for_a_day_at_most() {
    let directory = tempfile::tempdir().unwrap();
    let house = Inside::embedded(directory.path()).await;
    let (former, _) = former_owner(&house).await;
    house.network.say(Err(Unanswered::Away));
    let (path, code) = house.code_for(&nobody(), &former.number).await;
    for _ in 0..10 {
        let held = confirm(&house, &path, &code).await;
        assert_eq!((held.status.as_u16(), &held.json()["code"]), (503, &json!(UNCHECKED)));
        assert_eq!(held.headers["retry-after"], "30");
    }
    // The code is not used up by it: the network comes back, and so does the person.
    house.network.say(Ok(false));
    assert_eq!(confirm(&house, &path, &code).await.status, StatusCode::CREATED);
    // Proven a moment ago, and no number is given away so soon: nobody waits for a network that is silent.
    house.network.say(Err(Unanswered::Neither(500)));
    house.clock.advance_s(29 * DAY_S);
    sign_in(&house, &former.number).await;
    house.clock.advance_s(31 * DAY_S);
    let mut held_s = 0;
    loop {
        let (path, code) = house.code_for(&nobody(), &former.number).await;
        let answer = confirm(&house, &path, &code).await;
        if answer.status == StatusCode::CREATED {
            break;
        }
        assert_eq!(answer.json()["code"], UNCHECKED);
        held_s += 7_200;
        house.clock.advance_s(7_200);
    }
    assert_eq!(held_s, DAY_S, "an outage shuts nobody out for ever");
}

#[tokio::test]
async fn who_leaves_and_comes_back_before_the_platform_has_erased_sees_nothing_of_before() {
    let directory = tempfile::tempdir().unwrap();
    let house = Inside::embedded(directory.path()).await;
    let (former, friend) = former_owner(&house).await;
    let gone = house.call(&former, Method::DELETE, "/v1/me", None, &[]).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    house.clock.advance_s(1);
    let again = sign_in(&house, &former.number).await;
    assert!(house.network.owners_asked.lock().unwrap().is_empty(), "there was no account to ask about");
    let shut = house.gate.shut().await;
    let looking = async {
        house.gate.one_waits().await;
        starts_here_with_nothing(&house, &again, &friend).await;
        drop(shut);
    };
    tokio::join!(looking, house.settle());
    starts_with_nothing(&house, &again, &friend).await;
    house.clock.advance_s(2);
    house.settle().await;
    starts_with_nothing(&house, &again, &friend).await;
}

/// A buyer before a card of a paid service.
async fn buyer(house: &Inside) -> (Person, String) {
    let (buyer, friend) = (Person::new(1), Person::new(2));
    house.register(&buyer).await;
    house.register(&friend).await;
    house.subscribe(&friend, &["data10"]).await;
    house.upload(&buyer, &[&friend.number]).await;
    house.upload(&friend, &[&buyer.number]).await;
    house.share(&friend, "data10", None).await.unwrap();
    let card = house.card(&buyer, "data10").await.unwrap();
    (buyer, card)
}

async fn newest_order(house: &Inside, who: &Person) -> (String, Value) {
    let orders = house.get(who, "/v1/orders").await.json();
    (orders["items"][0]["state"].as_str().unwrap().to_owned(), orders["items"][0]["reason"].clone())
}

async fn orders_at_the_platform(house: &Inside, who: &Person) -> usize {
    let path = format!("/tmf-api/productOrderingManagement/v4/productOrder?relatedParty.id={}", who.path());
    house.platform_list(&path).await.len()
}

#[tokio::test]
async fn a_sim_that_was_swapped_a_short_while_ago_orders_nothing_that_costs() {
    let directory = tempfile::tempdir().unwrap();
    let house = Inside::embedded(directory.path()).await;
    let (buyer, card) = buyer(&house).await;
    house.network.say(Ok(true));
    assert_eq!(house.tap(&buyer, &card, "one").await.status, StatusCode::ACCEPTED);
    house.settle().await;
    assert_eq!(newest_order(&house, &buyer).await, ("rejected".to_owned(), json!("SIM_SWAPPED")));
    assert_eq!(orders_at_the_platform(&house, &buyer).await, 0, "the platform has not heard of it");
    house.network.say(Ok(false));
    house.clock.advance_s(1);
    house.tap(&buyer, &card, "two").await;
    house.settle().await;
    assert_eq!(newest_order(&house, &buyer).await, ("completed".to_owned(), Value::Null));
    assert_eq!(house.network.sims_asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_order_waits_for_the_networks_word_for_a_quarter_of_an_hour_and_never_goes_on_without_it() {
    let directory = tempfile::tempdir().unwrap();
    let house = Inside::embedded(directory.path()).await;
    let (buyer, card) = buyer(&house).await;
    for (key, wait_s, word, end) in [
        ("silent", 900, Err(Unanswered::Away), ("failed", json!("SIM_UNCHECKED"))),
        ("back-in-time", 300, Ok(false), ("completed", Value::Null)),
    ] {
        house.network.say(Err(Unanswered::Neither(404)));
        house.clock.advance_s(1);
        assert_eq!(house.tap(&buyer, &card, key).await.status, StatusCode::ACCEPTED);
        for _ in 0..wait_s / 60 {
            house.settle().await;
            assert_eq!(newest_order(&house, &buyer).await, ("queued".to_owned(), Value::Null));
            assert_eq!(orders_at_the_platform(&house, &buyer).await, 0);
            house.clock.advance_s(60);
        }
        house.network.say(word);
        house.settle().await;
        assert_eq!(newest_order(&house, &buyer).await, (end.0.to_owned(), end.1), "{key}");
    }
}

#[tokio::test]
async fn what_costs_nothing_is_ordered_without_a_word_about_the_sim() {
    let directory = tempfile::tempdir().unwrap();
    let house = Inside::embedded(directory.path()).await;
    let catalogue = include_str!("../../../../../examples/catalogue.json");
    house.seed(&catalogue.replace("\"10.00\"", "\"0.00\"")).await;
    let (buyer, card) = buyer(&house).await;
    house.network.say(Err(Unanswered::Away));
    house.tap(&buyer, &card, "free").await;
    house.settle().await;
    assert_eq!(newest_order(&house, &buyer).await, ("completed".to_owned(), Value::Null));
    assert_eq!(house.network.sims_asked.load(Ordering::SeqCst), 0);
}
