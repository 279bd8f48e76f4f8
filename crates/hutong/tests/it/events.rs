//! The event stream, over real sockets: what it survives and when it begins anew.

use std::time::Duration;

use api::client::{Client, EventStream};
use api::events::{Event, Happening};
use futures::StreamExt;

use crate::house::{House, code, eventually};

const PATIENCE: Duration = Duration::from_secs(30);
const ZHANG: &str = "+8613800138001";
const FRIENDS: [&str; 8] = [
    "+8613900139001",
    "+8613900139002",
    "+8613900139003",
    "+8613900139004",
    "+8613900139005",
    "+8613900139006",
    "+8613900139007",
    "+8613900139008",
];

async fn next(stream: &mut EventStream) -> Event {
    tokio::time::timeout(PATIENCE, stream.next()).await.unwrap().unwrap().unwrap()
}

/// Reads so many events: whom each is a match with, and its id.
async fn matches(stream: &mut EventStream, count: usize) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    for _ in 0..count {
        let event = next(stream).await;
        let Happening::Match(change) = event.happening else { panic!("{:?}", event.happening) };
        seen.push((change.number, event.id));
    }
    seen
}

fn numbers(seen: &[(String, String)]) -> Vec<&str> {
    seen.iter().map(|(number, _)| number.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_a_stream_goes_on_after_the_last_id_with_nothing_lost_repeated_or_out_of_order() {
    let mut house = House::start().await;
    let (zhangs, mut tokens, before) = {
        let zhang = house.person(ZHANG).await;
        zhang.upload(&FRIENDS).await;
        let mut stream = zhang.client.events(None).await.unwrap();
        let mut tokens = Vec::new();
        for (index, friend) in FRIENDS.into_iter().enumerate() {
            let friend = house.person(friend).await;
            if index < 5 {
                friend.upload(&[ZHANG]).await;
            }
            tokens.push(friend.token());
        }
        // Three of the five are read before the cut.
        (zhang.token(), tokens, matches(&mut stream, 3).await)
    };
    assert_eq!(numbers(&before), FRIENDS[..3]);
    house.kill_and_restart().await;
    let client = |token: &str| Client::new(&house.api).unwrap().with_token(token);
    let mut stream = client(&zhangs).events(Some(&before[2].1)).await.unwrap();
    for token in tokens.split_off(5) {
        let body = api::book::ReplaceBook { numbers: vec![ZHANG.to_owned()], confirm_shrink: false };
        client(&token).replace_book(&body, None).await.unwrap();
    }
    let after = matches(&mut stream, 5).await;
    assert_eq!(numbers(&after), FRIENDS[3..]);
    // The same place again gives the same again; the last place nothing.
    let mut again = client(&zhangs).events(Some(&before[2].1)).await.unwrap();
    assert_eq!(matches(&mut again, 5).await, after);
    let mut ids: Vec<i64> = before.iter().chain(&after).map(|(_, id)| id.parse().unwrap()).collect();
    let sent = ids.clone();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids, sent);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_cannot_be_kept_begins_with_a_reset_and_all_that_is() {
    let house = House::start().await;
    let (_li, zhang) = house.friends().await;
    for id in ["none of yours", "-5", "17", "9000000000000000000"] {
        let mut stream = zhang.client.events(Some(id)).await.unwrap();
        let first = next(&mut stream).await;
        assert_eq!(first.happening, Happening::Reset, "{id}");
        assert!(matches!(next(&mut stream).await.happening, Happening::Match(_)), "{id}");
        let mut resumed = zhang.client.events(Some(&first.id)).await.unwrap();
        assert!(matches!(next(&mut resumed).await.happening, Happening::Match(_)), "after the reset itself");
        drop((stream, resumed));
    }
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_streams_are_open_at_once_kept_alive_and_a_closed_one_makes_room() {
    let house = House::start().await;
    let zhang = house.person(ZHANG).await;
    let mut raw = crate::house::http()
        .get(format!("{}/v1/events", house.api))
        .bearer_auth(zhang.token())
        .send()
        .await
        .unwrap();
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(zhang.client.events(None).await.unwrap());
    }
    assert_eq!(code(zhang.client.events(None).await), "events/too-many-streams");
    // A line without meaning comes by itself, so that nobody in between takes the silence for an end.
    let line = tokio::time::timeout(PATIENCE, raw.chunk()).await.unwrap().unwrap().unwrap();
    assert!(line.starts_with(b":"));
    drop(open.pop());
    open.push(eventually("a place", async || zhang.client.events(None).await.ok()).await);
    house.end().await;
}
