//! Many taps at the same moment, and the Idempotency-Key.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::Value;

use super::house::{Answer, Inside, Person, database};

/// Two who match; the first shares everything that can be shared.
async fn friends(house: &Inside) -> (Person, Person) {
    let (li, zhang) = (Person { number: "+8613900139002".to_owned(), ..Person::new(1) }, Person::new(2));
    house.register(&li).await;
    house.register(&zhang).await;
    house.upload(&li, &[&zhang.number]).await;
    house.upload(&zhang, &[&li.number]).await;
    for offering in ["data10", "crbt", "reading"] {
        assert_eq!(house.share(&li, offering, None).await.unwrap().status, StatusCode::OK);
    }
    (li, zhang)
}

/// So many taps at once, each with the key of its place; a terminal that is told that the store is busy tries again.
async fn tap_all(
    house: &Arc<Inside>,
    who: &Person,
    share: &str,
    count: usize,
    key: impl Fn(usize) -> String,
) -> Vec<Answer> {
    let mut taps = tokio::task::JoinSet::new();
    for place in 0..count {
        let (house, who, share, key) = (Arc::clone(house), who.clone(), share.to_owned(), key(place));
        taps.spawn(async move {
            loop {
                let answer = house.tap(&who, &share, &key).await;
                // A busy store says so, and a terminal tries again with the same key.
                if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                    return answer;
                }
            }
        });
    }
    taps.join_all().await
}

async fn orders(house: &Inside, who: &Person) -> Vec<Value> {
    let list = house.get(who, "/v1/orders?limit=500").await.json();
    list["items"].as_array().unwrap().clone()
}

async fn two_hundred_taps(house: Inside, offering: &str) {
    let house = Arc::new(house);
    let (_, zhang) = friends(&house).await;
    let share = house.card(&zhang, offering).await.unwrap();
    let answers = tap_all(&house, &zhang, &share, 200, |place| format!("tap-{place}")).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::ACCEPTED), "{answers:?}");
    house.settle().await;
    let orders = orders(&house, &zhang).await;
    assert_eq!(orders.len(), 200, "each key has its own order");
    let (ended, alive): (Vec<_>, Vec<_>) = orders.iter().partition(|order| order["state"] == "rejected");
    assert_eq!((ended.len(), alive.len()), (199, 1), "one order lives");
    assert!(ended.iter().all(|order| order["reason"] == "ORDER_OPEN"), "the others say why");
    assert_eq!(at_the_platform(&house, &zhang, "productOrderingManagement/v4/productOrder").await.len(), 1);
    // The operator's own is subscribed at once: one product, which the exchange shows once.
    let products = at_the_platform(&house, &zhang, "productInventory/v4/product").await;
    let own = usize::from(offering == "data10");
    assert_eq!(products.len(), own);
    assert_eq!(alive[0]["state"], if own == 1 { "completed" } else { "awaiting_confirmation" });
    assert_eq!(house.subscription(&zhang, offering).await.is_some(), own == 1);
}

async fn at_the_platform(house: &Inside, who: &Person, path: &str) -> Vec<Value> {
    house.platform_list(&format!("/tmf-api/{path}?relatedParty.id={}", who.path())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_taps_with_different_keys_end_in_one_order() {
    for offering in ["crbt", "data10"] {
        let directory = tempfile::tempdir().unwrap();
        two_hundred_taps(Inside::embedded(directory.path()).await, offering).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_taps_with_different_keys_end_in_one_order_on_postgresql() {
    if let Some(house) = Inside::postgres("taps").await {
        two_hundred_taps(house, "crbt").await;
    }
}

/// A hundred clients with one key, spread over houses that share a database; none is told to wait for the
/// store, and each is answered with the first answer, or that the first is still running.
async fn a_hundred_on_one_key(houses: &[Arc<Inside>]) {
    let house = &houses[0];
    let (_, zhang) = friends(house).await;
    let share = house.card(&zhang, "crbt").await.unwrap();
    let hundred = || {
        let mut taps = tokio::task::JoinSet::new();
        for place in 0..100 {
            let (house, zhang, share) =
                (Arc::clone(&houses[place % houses.len()]), zhang.clone(), share.clone());
            taps.spawn(async move { house.tap(&zhang, &share, "one-key").await });
        }
        taps.join_all()
    };
    let mut first = BTreeSet::new();
    for answer in hundred().await {
        if answer.status == StatusCode::CONFLICT {
            assert_eq!(code(&answer), (409, "idempotency/running".to_owned()));
            assert_eq!(answer.headers["retry-after"], "1");
        } else {
            assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
            first.insert(answer.body);
        }
    }
    assert_eq!(first.len(), 1, "the same bytes for each: {first:?}");
    assert_eq!(orders(house, &zhang).await.len(), 1);
    house.settle().await;
    // Whatever became of the order since, the first answer is the answer, also to a hundred at once.
    for again in hundred().await {
        let first = first.first().unwrap().as_str();
        assert_eq!((again.status, again.body.as_str()), (StatusCode::ACCEPTED, first));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_clients_on_one_key_get_one_order_and_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    a_hundred_on_one_key(&[Arc::new(Inside::embedded(directory.path()).await)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_clients_on_one_key_at_three_servers_get_one_order_and_the_same_bytes_on_postgresql() {
    let Some(url) = database("one_key") else { return };
    let mut houses = Vec::new();
    for seed in 1..=3 {
        let house = Inside::on(&url).await;
        // Ids are drawn; two servers never draw the same.
        house.set_dice(seed * 1_000_003);
        houses.push(Arc::new(house));
    }
    a_hundred_on_one_key(&houses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_tap_is_told_that_the_first_is_running_until_it_is_durable() {
    let directory = tempfile::tempdir().unwrap();
    let house = Arc::new(Inside::embedded(directory.path()).await);
    let (_, zhang) = friends(&house).await;
    let share = house.card(&zhang, "crbt").await.unwrap();
    // The one writer is held up, and so is the first tap behind it.
    let (held, holding) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (held, released) = (std::sync::Mutex::new(Some(held)), std::sync::Mutex::new(released));
    let hold = house.store.write(move |_: &mut store::Tx<'_>| {
        if let Some(held) = held.lock().unwrap().take() {
            held.send(()).unwrap();
        }
        released.lock().unwrap().recv().unwrap();
        Ok::<_, store::StoreError>(())
    });
    let tap = |key: &'static str| {
        let (house, zhang, share) = (Arc::clone(&house), zhang.clone(), share.clone());
        tokio::spawn(async move { house.tap(&zhang, &share, key).await })
    };
    // Of two with one key the second is told so; the first waits for the writer.
    let first_of_two = async |key| {
        let (second, _, first) = futures::future::select_all([tap(key), tap(key)]).await;
        assert_eq!(code(&second.unwrap()), (409, "idempotency/running".to_owned()));
        first.into_iter().next()
    };
    let taps = async {
        holding.await.unwrap();
        let first = first_of_two("k").await;
        // A client that has gone leaves its tap behind.
        let gone = first_of_two("gone").await;
        let gone = gone.unwrap();
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        release.send(()).unwrap();
        first.unwrap().await.unwrap()
    };
    let (held, first) = tokio::join!(hold, taps);
    held.unwrap();
    assert_eq!(first.status, StatusCode::ACCEPTED);
    assert_eq!(house.tap(&zhang, &share, "k").await, first);
    assert_eq!(house.tap(&zhang, &share, "gone").await.status, StatusCode::ACCEPTED);
    let orders = orders(&house, &zhang).await;
    assert_eq!(orders.len(), 2, "each key has one order, whoever has gone meanwhile");
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_one_persons_for_one_body_and_of_one_to_255_visible_characters() {
    let directory = tempfile::tempdir().unwrap();
    let house = Inside::embedded(directory.path()).await;
    let (li, zhang) = friends(&house).await;
    let (ring, book) =
        (house.card(&zhang, "crbt").await.unwrap(), house.card(&zhang, "reading").await.unwrap());
    let first = house.tap(&zhang, &ring, "k").await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    assert_eq!(code(&house.tap(&zhang, &book, "k").await), (422, "idempotency/body-differs".to_owned()));
    assert_eq!(house.tap(&zhang, &ring, "k").await, first);
    let body = serde_json::json!({ "share_id": ring }).to_string();
    let none = house.call(&zhang, Method::POST, "/v1/orders", Some(&body), &[]).await;
    assert_eq!(code(&none), (400, "idempotency/key-missing".to_owned()));
    for bad in ["", "two words", "schlüssel", &"k".repeat(256)] {
        assert_eq!(code(&house.tap(&zhang, &book, bad).await), (400, "idempotency/key-invalid".to_owned()));
    }
    assert_eq!(house.tap(&zhang, &book, &"k".repeat(255)).await.status, StatusCode::ACCEPTED);
    // The same key of somebody else is another key: its own 404, as their share id is none of theirs.
    assert_eq!(house.tap(&li, &ring, "k").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_answer_is_kept_for_a_day_and_across_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let house = Inside::embedded(directory.path()).await;
    let (li, zhang) = friends(&house).await;
    let share = house.card(&zhang, "crbt").await.unwrap();
    let first = house.tap(&zhang, &share, "k").await;
    house.settle().await;
    house.store.close().await;
    // The roles of the first house hold its lock for as long as this process lives; its files are whole.
    let moved = tempfile::tempdir().unwrap();
    std::fs::copy(directory.path().join("hutong.sqlite"), moved.path().join("hutong.sqlite")).unwrap();
    let house = Inside::embedded(moved.path()).await;
    // The friend takes the share back: the answer to what was asked before stays.
    let id = house.subscription(&li, "crbt").await.unwrap();
    house.call(&li, Method::DELETE, &format!("/v1/subscriptions/{id}/share"), None, &[]).await;
    house.clock.advance_s(24 * 3_600 - 60);
    assert_eq!(house.tap(&zhang, &share, "k").await, first);
    assert_eq!(orders(&house, &zhang).await.len(), 1);
}
