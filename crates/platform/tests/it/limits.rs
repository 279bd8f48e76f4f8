//! The time limit of a confirmation: over restarts, over clocks that jump, and beside answers that came in time.

use domain::order::Reason;
use domain::world::after_seconds;
use domain::{Msisdn, limits};
use serde_json::Value;
use store::StoreError;
use store::platform::EvidenceKind;
use store::upkeep::{Retention, Upkeep};

use crate::house::*;

const DAY: i64 = 86_400;

fn timed_out() -> (String, Option<Reason>) {
    ("cancelled".to_owned(), Some(Reason::ConfirmationTimeout))
}

impl House {
    /// What is kept about an order: kinds, and bodies.
    async fn evidence(&self, order: &Value) -> Vec<(EvidenceKind, String)> {
        let id = order["id"].as_str().unwrap().parse().unwrap();
        let read =
            self.platform.store.read::<_, StoreError, _>(move |view| view.platform().list_evidence(id));
        read.await.unwrap().into_iter().map(|one| (one.kind, one.body)).collect()
    }
}

#[tokio::test]
async fn an_answer_that_came_in_time_counts_however_late_it_is_read() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    let other = house.order("e2", BEN, "crbt").await;
    house.phones().await;
    house.clock.advance_s(DAY - 60);
    // The centre delivers it, and the platform is away for two days.
    house.receive(ANNA, &text.suffix, &text.code()).await;
    house.clock.advance_s(2 * DAY);
    house.work().await;
    assert_eq!(house.state(&order).await, ("completed".to_owned(), None));
    assert_eq!((house.charges(ANNA).await, house.state(&other).await), (1, timed_out()));
    let receipts = house.phones().await;
    assert_eq!(receipts.iter().filter(|text| text.to == ANNA).count(), 1, "{receipts:?}");
}

#[tokio::test]
async fn the_limit_runs_from_when_the_centre_took_the_text_not_from_when_that_was_heard_of() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    house.accepted_unheard().await;
    house.clock.advance_s(DAY);
    house.work().await;
    assert_eq!(house.state(&order).await, timed_out());
}

#[tokio::test]
async fn the_timer_survives_a_restart() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    house.phones().await;
    let house = house.restarted().await;
    house.clock.advance_s(DAY - 1);
    house.work().await;
    assert_eq!(house.state(&order).await.0, "pending");
    let house = house.restarted().await;
    house.clock.advance_s(1);
    house.work().await;
    assert_eq!(house.state(&order).await, timed_out());
    assert_eq!(house.phones().await.len(), 1, "told once");
}

#[tokio::test]
async fn a_clock_that_jumps_three_days_ahead_ends_an_order_once_and_back_again_revives_nothing() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    house.clock.advance_s(3 * DAY);
    house.work().await;
    assert_eq!(house.state(&order).await, timed_out());
    assert_eq!(house.phones().await.len(), 1);
    house.clock.advance_s(-3 * DAY);
    house.work().await;
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert_eq!(house.state(&order).await, timed_out());
    assert_eq!((house.charges(ANNA).await, house.products(ANNA).await.len()), (0, 0));
    // It can be had, by the clock as it is now.
    let again = house.order("e2", ANNA, "crbt").await;
    let text = house.phones().await.into_iter().find(|text| !text.suffix.is_empty()).unwrap();
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert_eq!(house.state(&again).await.0, "completed");
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_and_back_before_anything_runs_ends_nothing() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    house.clock.advance_s(3 * DAY);
    house.clock.advance_s(-3 * DAY);
    house.work().await;
    assert_eq!(house.state(&order).await.0, "pending");
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert_eq!(house.state(&order).await.0, "completed");
}

#[tokio::test]
async fn a_clock_that_jumps_three_days_back_keeps_the_order_open_until_the_moment_in_its_text() {
    let house = House::new().await;
    let answered = house.order("e1", ANNA, "crbt").await;
    let silent = house.order("e2", BEN, "crbt").await;
    let text = house.phones().await.into_iter().find(|text| text.to == ANNA).unwrap();
    house.clock.advance_s(-3 * DAY);
    house.work().await;
    assert_eq!(house.state(&silent).await.0, "pending");
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert_eq!((house.state(&answered).await.0.as_str(), house.charges(ANNA).await), ("completed", 1));
    house.clock.advance_s(4 * DAY - 1);
    house.work().await;
    assert_eq!(house.state(&silent).await.0, "pending");
    house.clock.advance_s(1);
    house.work().await;
    assert_eq!(house.state(&silent).await, timed_out());
}

#[tokio::test]
async fn the_evidence_of_a_confirmation_is_kept_for_its_time_and_names_nobody_once_they_are_erased() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    house.reply(ANNA, &text.suffix, &format!("是{}", text.code())).await;
    let refused = house.order("e2", ANNA, "game").await;
    house.phones_where(store::texts::TextState::Rejected).await;
    let kept = house.evidence(&order).await;
    let kinds: Vec<_> = kept.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [EvidenceKind::Asked, EvidenceKind::Accepted, EvidenceKind::Replied]);
    assert_eq!((&kept[0].1, kept[2].1.contains(&text.code())), (&text.body, true));
    assert!(!kept[1].1.is_empty(), "what the centre called it");
    assert_eq!(house.evidence(&refused).await[1], (EvidenceKind::Undeliverable, "rejected".to_owned()));

    let (key, before) = (Msisdn::parse_e164(ANNA).unwrap(), after_seconds(house.platform.world.now(), 1));
    let key = house.platform.store.keys().contact_key(key);
    let write = move |tx: &mut store::Tx<'_>| tx.platform().forget_customer(key, before);
    house.platform.store.write::<_, StoreError, _>(write).await.unwrap();
    assert_eq!(house.evidence(&order).await, kept);
    assert!(!kept.iter().any(|(_, body)| body.contains(ANNA.trim_start_matches("+86"))));

    let upkeep =
        Upkeep::new(house.platform.store.clone(), house.platform.world.clone(), Retention::default());
    house.clock.advance_s(limits::EVIDENCE_KEEP_DAYS * DAY - 3_600);
    while upkeep.portion().await.unwrap() {}
    assert_eq!(house.evidence(&order).await, kept);
    house.clock.advance_s(2 * 3_600);
    while upkeep.portion().await.unwrap() {}
    assert_eq!(house.evidence(&order).await, []);
}
