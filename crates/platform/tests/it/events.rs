//! What listeners at the hub are told.

use serde_json::{Value, json};

use crate::house::*;

const HUBS: [&str; 3] = [
    "/tmf-api/productOrderingManagement/v4/hub",
    "/tmf-api/productInventory/v4/hub",
    "/tmf-api/productCatalogManagement/v4/hub",
];

async fn listen(house: &House) {
    for hub in HUBS {
        let (status, headers, listener) = house.post(hub, &json!({"callback": "http://ear.test/cb"})).await;
        assert_eq!(status.as_u16(), 201);
        assert_eq!(
            headers["location"].to_str().unwrap(),
            format!("{hub}/{}", listener["id"].as_str().unwrap())
        );
    }
}

fn told(house: &House) -> Vec<(String, Value)> {
    std::mem::take(&mut house.ear.told.lock().unwrap())
}

/// The last part of each address, with the state that the resource has.
fn story(events: &[(String, Value)]) -> Vec<String> {
    let tell = |(address, event): &(String, Value)| {
        let kind = address.strip_prefix("http://ear.test/cb/listener/").unwrap();
        assert_eq!(event["eventType"], kind);
        let body = &event["event"];
        let state =
            body["productOrder"]["state"].as_str().or(body["product"]["status"].as_str()).unwrap_or("-");
        format!("{kind} {state}")
    };
    events.iter().map(tell).collect()
}

#[tokio::test]
async fn every_change_is_told_in_order_with_ids_of_its_own() {
    let house = House::new().await;
    listen(&house).await;
    house.order("e1", ANNA, "news").await;
    house.work().await;
    let events = told(&house);
    let told = story(&events);
    let orders: Vec<_> = told.iter().filter(|line| line.starts_with("ProductOrder")).collect();
    assert_eq!(
        orders,
        [
            "ProductOrderCreateEvent acknowledged",
            "ProductOrderStateChangeEvent inProgress",
            "ProductOrderStateChangeEvent completed"
        ]
    );
    let products: Vec<_> = told.iter().filter(|line| !line.starts_with("ProductOrder")).collect();
    assert_eq!(products, ["ProductCreateEvent created", "ProductStateChangeEvent active"]);
    let mut ids: Vec<_> = events.iter().map(|(_, event)| event["eventId"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    assert_eq!(events[0].1["eventTime"], "2026-03-01T02:00:00Z");
}

#[tokio::test]
async fn an_order_that_waits_says_that_it_needs_the_customer() {
    let house = House::new().await;
    listen(&house).await;
    house.order("e1", ANNA, "crbt").await;
    house.work().await;
    let told = story(&told(&house));
    assert_eq!(
        told,
        [
            "ProductOrderCreateEvent acknowledged",
            "ProductOrderStateChangeEvent pending",
            "ProductOrderInformationRequiredEvent pending"
        ]
    );
}

#[tokio::test]
async fn a_listener_that_was_away_hears_everything_later_in_order() {
    let house = House::new().await;
    listen(&house).await;
    *house.ear.deaf.lock().unwrap() = true;
    for number in 0..15 {
        house.order(&format!("e{number}"), &format!("+86138001380{number:02}"), "news").await;
    }
    house.work().await;
    assert!(told(&house).is_empty());
    *house.ear.deaf.lock().unwrap() = false;
    house.clock.advance_s(120);
    house.work().await;
    let events = told(&house);
    assert_eq!(events.len(), 15 * 5);
    for number in 0..15 {
        let id = format!("e{number}");
        let of_order = events.iter().filter(|(_, event)| event["event"]["productOrder"]["externalId"] == *id);
        let states: Vec<_> =
            of_order.map(|(_, event)| event["event"]["productOrder"]["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["acknowledged", "inProgress", "completed"]);
    }
}

#[tokio::test]
async fn what_a_listener_was_told_before_the_process_died_is_not_told_again() {
    let house = House::new().await;
    house.post(HUBS[0], &json!({"callback": "http://ear.test/cb"})).await;
    for (number, customer) in [ANNA, BEN].iter().enumerate() {
        house.order(&format!("e{number}"), customer, "news").await;
    }
    *house.ear.silent_at.lock().unwrap() = Some(4);
    tokio::select! {
        () = house.work() => panic!("the fourth event is never answered"),
        () = house.ear.silent.notified() => {}
    }
    *house.ear.silent_at.lock().unwrap() = None;
    house.clock.advance_s(domain::limits::JOB_LEASE_S);
    house.work().await;
    let told = told(&house);
    let mut ids: Vec<_> = told.iter().map(|(_, event)| event["eventId"].to_string()).collect();
    let first = ids[0].clone();
    assert_eq!(ids.iter().filter(|id| **id == first).count(), 1, "what was written down as told");
    assert!(ids.len() <= 6 + 2, "the event without an answer, and the one just being written down");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

#[tokio::test]
async fn what_concerns_one_order_is_told_in_order_however_many_are_told_of_at_the_same_time() {
    let house = House::new().await;
    listen(&house).await;
    let mut orders = Vec::new();
    for n in 0..100 {
        orders.push(house.order(&format!("e{n}"), &format!("+861380014{n:04}"), "news").await);
    }
    // It cannot hear in the middle of it, and then can.
    *house.ear.silent_at.lock().unwrap() = Some(150);
    tokio::select! {
        () = house.work() => panic!("the listener is silent"),
        () = house.ear.silent.notified() => {}
    }
    *house.ear.silent_at.lock().unwrap() = None;
    house.clock.advance_s(60);
    house.work().await;
    let events = told(&house);
    for order in &orders {
        let mut states: Vec<_> = events
            .iter()
            .filter(|(_, event)| event["event"]["productOrder"]["id"] == order["id"])
            .map(|(_, event)| event["event"]["productOrder"]["state"].as_str().unwrap())
            .collect();
        // What was told and not written down is told again, right away.
        states.dedup();
        assert_eq!(states, ["acknowledged", "inProgress", "completed"]);
    }
}

#[tokio::test]
async fn registering_twice_is_one_listener_and_a_removed_one_hears_nothing() {
    let house = House::new().await;
    let hub = HUBS[0];
    let request = json!({"callback": "http://ear.test/cb", "query": "eventType=ProductOrderCreateEvent"});
    let (_, _, one) = house.post(hub, &request).await;
    let (_, _, two) = house.post(hub, &request).await;
    assert_eq!(one, two);
    assert_eq!(one["query"], request["query"]);
    house.order("e1", ANNA, "news").await;
    house.work().await;
    assert_eq!(story(&told(&house)), ["ProductOrderCreateEvent acknowledged"]);
    let path = format!("{hub}/{}", one["id"].as_str().unwrap());
    let delete = || {
        let request = http::Request::delete(&path).header("authorization", format!("Bearer {TOKEN}"));
        house.call(request.body(axum::body::Body::empty()).unwrap())
    };
    assert_eq!(delete().await.0.as_u16(), 204);
    assert_eq!(delete().await.0.as_u16(), 404);
    house.order("e2", BEN, "news").await;
    house.work().await;
    assert!(told(&house).is_empty());
}

#[tokio::test]
async fn a_callback_that_may_not_be_called_is_refused() {
    let house = House::new().await;
    for callback in ["http://10.0.0.1/cb", "ear.test/cb", "", "http://ear.test/cb?x=1"] {
        let (status, _, error) = house.post(HUBS[0], &json!({"callback": callback})).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalidCallback")), "{callback}");
    }
    assert_eq!(house.post(HUBS[0], &json!({})).await.0.as_u16(), 400);
}
