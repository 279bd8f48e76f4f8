//! Ten thousand faulty deliveries, and a record falsified at random.

use std::collections::{BTreeMap, BTreeSet};

use domain::charging::ChargeEvent;
use domain::reconciliation::What;
use domain::world::{SeededDice, SetClock, World};
use platform::charging::simulator::{Faults, Simulator};
use platform::charging::{ChargeMessage, reconcile};
use serde_json::json;

use crate::house::*;

const PAYERS: usize = 300;
const DAYS: usize = 16;
const FAULTY_MIN: usize = 10_000;

fn record_of(charging: &Simulator) -> Vec<Option<ChargeEvent>> {
    charging.record().into_iter().map(ChargeMessage::event).collect()
}

/// Orders and days of renewals for many payers, with every fault at once, until all is taken.
async fn a_faulty_fortnight() -> (House, Simulator) {
    let (house, charging) = House::with_charging().await;
    let number = |payer: usize| format!("+8613800{payer:06}");
    for payer in 0..PAYERS {
        house.order(&format!("e{payer}"), &number(payer), "daily").await;
        if payer % 10 == 0 {
            house.clock.advance_s(1);
        }
    }
    charging.set_faults(Faults::mixed(810));
    for day in 0..DAYS {
        for _ in 0..6 {
            house.clock.advance_s(4 * 3_600);
            house.work().await;
        }
        if day == 8 {
            for id in charging.record().iter().take(20).map(|event| event.id) {
                house.post(&format!("/operator/v1/charges/{id}/reversal"), &json!({})).await;
            }
        }
    }
    // Some wait for their next try; nothing new is caused while the clock moves by minutes.
    for _ in 0..200 {
        if charging.counts().faulty >= FAULTY_MIN
            && platform::charging::waiting(&house.platform.store).await.unwrap().0 == 0
        {
            break;
        }
        house.clock.advance_s(301);
        house.work().await;
    }
    (house, charging)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_ten_thousand_faulty_deliveries_each_event_is_there_once_and_every_falsification_is_found() {
    let (house, charging) = a_faulty_fortnight().await;
    let counts = charging.counts();
    eprintln!("{counts:?}");
    assert!(counts.faulty >= FAULTY_MIN, "{counts:?}");
    assert!(counts.repeats > 1_000, "{counts:?}");
    let record = record_of(&charging);
    assert!(record.len() >= PAYERS * (DAYS - 2));

    // Once by its key, and in order for each payer: by the record alone, without our report.
    let ids: BTreeSet<_> = record.iter().flatten().map(|event| event.id).collect();
    assert_eq!(ids.len(), record.len());
    let mut next: BTreeMap<_, i64> = BTreeMap::new();
    for event in record.iter().flatten() {
        let next = next.entry(event.number).or_insert(1);
        assert_eq!(event.payer_no, *next, "without a gap, in order");
        *next += 1;
    }
    let report = reconcile(&house.platform.store, record.clone(), None).await.unwrap();
    assert_eq!((report.differences_total, report.waiting), (0, 0), "{:?}", report.differences.first());
    assert_eq!((report.events, report.lines), (record.len(), record.len()));
    falsify(&house, &record).await;
}

/// Falsifies the record many times, once in each way, and expects the report to name just that.
async fn falsify(house: &House, record: &[Option<ChargeEvent>]) {
    let dice = World::new(std::sync::Arc::new(SetClock::at_ms(0)), std::sync::Arc::new(SeededDice::new(5)));
    let place = |len: usize| dice.below(u32::try_from(len).unwrap()) as usize;
    for round in 0..25 {
        let mut false_record = record.to_vec();
        let mut expected = BTreeSet::new();
        let victim = place(record.len());
        let event = record[victim].clone().unwrap();
        match round % 5 {
            0 => {
                false_record.remove(victim);
                expected.insert((What::Missing, Some(event.id)));
            }
            1 => {
                false_record.insert(place(record.len()), Some(event.clone()));
                expected.insert((What::Doubled, Some(event.id)));
            }
            2 => {
                let dearer = event.money.with_hundredths(event.money.hundredths() + 1);
                false_record[victim] = Some(ChargeEvent { money: dearer, ..event.clone() });
                expected.insert((What::Differs, Some(event.id)));
            }
            3 => {
                let id = dice.uuid();
                false_record.insert(victim, Some(ChargeEvent { id, ..event.clone() }));
                expected.insert((What::Unknown, Some(id)));
            }
            _ => {
                let same = |other: &Option<ChargeEvent>| other.as_ref().unwrap().number == event.number;
                let next = (victim + 1..record.len()).find(|index| same(&record[*index]));
                let Some(next) = next else { continue };
                false_record.swap(victim, next);
                // The later event now comes first: what it overtook is out of order.
                expected.insert((What::OutOfOrder, Some(event.id)));
            }
        }
        let report = reconcile(&house.platform.store, false_record, None).await.unwrap();
        let found: BTreeSet<_> = report.differences.iter().map(|found| (found.what, found.event)).collect();
        // A copy put before the original may also stand out of order, which is as true.
        let beside = |(what, _): &(What, _)| round % 5 == 1 && *what == What::OutOfOrder;
        let found: BTreeSet<_> = found.into_iter().filter(|one| !beside(one)).collect();
        assert_eq!(found, expected, "round {round}");
    }
}
