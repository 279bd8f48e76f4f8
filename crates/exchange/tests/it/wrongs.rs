//! Whatever the platform does wrong, each order ends in its true state, with one effect.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::limits;
use domain::order::{OrderState, Progress, Reason};

use crate::faulty::{Fault, Faulty};
use crate::house::{House, card, world};

const PEOPLE: u64 = 20;
const ORDERS_EACH: usize = 475;
/// Placed while the platform is away for longer than orders wait.
const LATE_EACH: usize = 25;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_orders_end_in_the_platforms_true_state_whatever_it_does_wrong() {
    let (clock, world) = world();
    let platform = Faulty::new(0x9E37_79B9_7F4A_7C15, world.clone());
    let house = House::new(clock, world, Arc::new(platform.clone())).await;
    house.put_card(card()).await;
    let mut orders = Vec::new();
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        let person = house.person(n).await;
        people.push(person);
        orders.extend(house.place(person, ORDERS_EACH).await);
    }
    for _ in 0..20 {
        round(&house, &platform, 7).await;
    }
    for person in people {
        orders.extend(house.place(person, LATE_EACH).await);
    }
    platform.go_away(true);
    for _ in 0..18 {
        round(&house, &platform, limits::PLATFORM_UNREACHABLE_S / 15).await;
    }
    let mut given_up = Vec::new();
    for id in &orders {
        let order = house.order(*id).await;
        if order.reason == Some(Reason::PlatformUnreachable) {
            given_up.push(id.to_string());
        }
    }
    platform.go_away(false);
    while round(&house, &platform, 31).await {}
    // Its last events may be lost: only asking tells.
    platform.behave();
    for _ in 0..10 {
        round(&house, &platform, limits::COMPARE_ORDERS_S).await;
    }

    assert_eq!(orders.len(), 10_000);
    let record = platform.record();
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    for id in &orders {
        let order = house.order(*id).await;
        let Some(there) = record.get(&id.to_string()) else {
            assert_eq!((order.state, order.reason), (Progress::Failed, Some(Reason::PlatformUnreachable)));
            *ends.entry("never there").or_default() += 1;
            continue;
        };
        assert!(there.state.is_final());
        assert_eq!((order.state, order.reason), (there.state.progress(), there.reason), "{there:?}");
        assert_eq!(order.platform_order.as_ref(), Some(&there.id));
        assert_eq!(there.activations, u32::from(there.state == OrderState::Completed));
        *ends.entry(there.state.word()).or_default() += 1;
    }
    assert!(record.len() <= orders.len(), "it has an order that nobody placed");
    // Every way was gone by some, or the test has shown nothing.
    for end in ["never there", "rejected", "completed", "cancelled", "failed", "partial"] {
        assert!(ends.get(end).is_some_and(|count| *count > 20), "{end}: {ends:?}");
    }
    assert!(
        given_up.iter().filter(|id| record.contains_key(*id)).count() > 20,
        "nothing was given up wrongly"
    );
    let faults = platform.faults();
    assert!(faults.values().all(|count| *count > 100) && faults.len() == 11, "{faults:?}");
    assert!(faults[&Fault::None] > 1_000);
}

/// Works, lets the platform go on, hears of it, and lets time pass; whether any order is open there.
async fn round(house: &House, platform: &Faulty, seconds: i64) -> bool {
    house.work().await;
    let open = platform.go_on();
    house.hear(platform.events()).await;
    house.clock.advance_s(seconds);
    open
}
