//! Laws of the event stream: a number tells of its own event, and of no other.

use domain::ids::OrderId;
use domain::key::ContactKey;
use serde_json::json;
use store::StoreError;
use store::exchange::{EventKind, StreamEvent};

use crate::backends::{Bench, laws, number};

laws! {
    what_else_happens_in_a_millisecond_moves_no_number
    the_same_said_twice_in_a_millisecond_is_said_once
    events_of_ones_own_orders_keep_their_order_within_a_millisecond
    an_event_never_falls_before_the_millisecond_of_the_last_one
}

const OWNER: u64 = 1;

fn key(bench: &Bench, n: u64) -> ContactKey {
    bench.store.keys().contact_key(number(n))
}

/// Appends what somebody shares, or with nobody a change of an order of one's own; the newest places.
async fn append(bench: &Bench, owner: u64, friend: Option<u64>, what: i64) -> Vec<i64> {
    let (owner, friend) = (key(bench, owner), friend.map(|friend| key(bench, friend)));
    let kind = if friend.is_some() { EventKind::Share } else { EventKind::Order };
    let data = if friend.is_some() {
        json!({ "share": what })
    } else {
        json!({ "order": OrderId(uuid::Uuid::nil()), "n": what })
    };
    let write = move |tx: &mut store::Tx<'_>| {
        tx.exchange().append_event(owner, kind, friend, &data)?;
        tx.exchange().newest_places(owner)
    };
    bench.store.write::<_, StoreError, _>(write).await.unwrap()
}

async fn what_else_happens_in_a_millisecond_moves_no_number(bench: Bench) {
    let alone = append(&bench, OWNER, Some(5), 1).await;
    let other = 2;
    let moved = |places: &[i64]| places.iter().map(|place| place - alone[0]).collect::<Vec<_>>();
    for n in 10..40 {
        append(&bench, OWNER, Some(n), 1).await;
    }
    append(&bench, OWNER, None, 1).await;
    let crowded = append(&bench, OWNER, Some(6), 7).await;
    assert!(moved(&crowded).contains(&0), "the first stays where it is");
    assert_eq!(crowded.len(), 33, "each has a place of its own");
    // Somebody else's stream is numbered otherwise: two people cannot compare what they see.
    let others = append(&bench, other, Some(5), 1).await;
    assert_ne!(others, alone);
    bench.clock.advance_s(1);
    let after = append(&bench, OWNER, Some(5), 1).await;
    let second = StreamEvent::first_place(bench.world.now()) - StreamEvent::millisecond(alone[0]);
    assert_eq!(after, [alone[0] + second], "the same as it would be had nothing else happened");
}

async fn the_same_said_twice_in_a_millisecond_is_said_once(bench: Bench) {
    let once = append(&bench, OWNER, Some(5), 1).await;
    assert_eq!(append(&bench, OWNER, Some(5), 1).await, once);
    assert_eq!(append(&bench, OWNER, Some(5), 2).await.len(), 2);
}

async fn events_of_ones_own_orders_keep_their_order_within_a_millisecond(bench: Bench) {
    append(&bench, OWNER, Some(5), 1).await;
    let mut own = Vec::new();
    for n in 0..5 {
        let places = append(&bench, OWNER, None, n).await;
        own = places.into_iter().filter(|place| StreamEvent::is_own(*place)).collect();
    }
    let first = StreamEvent::first_place(bench.world.now());
    assert_eq!(own, (first..first + 5).collect::<Vec<_>>());
}

async fn an_event_never_falls_before_the_millisecond_of_the_last_one(bench: Bench) {
    bench.clock.advance_s(60);
    let last = append(&bench, OWNER, Some(5), 1).await;
    bench.clock.advance_s(-30);
    for friend in [Some(6), None] {
        let places = append(&bench, OWNER, friend, 1).await;
        assert!(places.iter().all(|place| *place >= StreamEvent::millisecond(last[0])));
    }
    assert_eq!(append(&bench, OWNER, Some(7), 1).await.len(), 4, "all in one millisecond");
}
