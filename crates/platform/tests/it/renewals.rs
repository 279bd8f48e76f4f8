//! From one period into the next: each charged once, by the operator's calendar.

use domain::charging::ChargeKind::{Activation, Renewal, Reversal};
use platform::charging::simulator::{Account, Faults};
use serde_json::json;

use crate::house::*;

fn state(products: &[(String, String)]) -> Vec<&str> {
    products.iter().map(|(_, state)| state.as_str()).collect()
}

#[tokio::test]
async fn a_renewing_subscription_is_charged_each_period_once_whatever_the_clock_does() {
    let (house, charging) = House::with_charging().await;
    house.order("e1", ANNA, "daily").await;
    house.days(1).await;
    house.work().await;
    assert_eq!(House::charged(&charging, ANNA), [(Activation, 0), (Renewal, 1)]);
    // Back by three days and forth again: the same periods.
    house.days(-3).await;
    assert_eq!(House::charged(&charging, ANNA).len(), 2);
    house.days(3).await;
    assert_eq!(House::charged(&charging, ANNA).len(), 2);
    // Five days without the servers: each of the five is charged, once.
    house.days(5).await;
    let periods: Vec<_> = House::charged(&charging, ANNA).into_iter().map(|(_, period)| period).collect();
    assert_eq!(periods, [0, 1, 2, 3, 4, 5, 6]);
    // Undone or ended, it renews no more.
    house.reply(ANNA, "", "TD").await;
    house.reply(ANNA, "", "TD1").await;
    house.days(4).await;
    assert_eq!(House::charged(&charging, ANNA).len(), 7);
}

#[tokio::test]
async fn a_subscription_of_the_31st_is_charged_on_the_last_day_of_each_month() {
    let (house, charging) = House::with_charging().await;
    // The clock stands at 1 March, 10:00 in Shanghai.
    house.days(30).await;
    house.order("e1", ANNA, "news").await;
    for _ in 0..92 {
        house.days(1).await;
    }
    let record = charging.record();
    let days: Vec<_> = record.iter().map(|event| event.at.strftime("%m-%d").to_string()).collect();
    assert_eq!(days, ["03-31", "04-30", "05-31", "06-30"]);
}

#[tokio::test]
async fn the_price_is_the_one_at_the_beginning() {
    let (house, charging) = House::with_charging().await;
    house.order("e1", ANNA, "daily").await;
    let mut seed = periods();
    for offering in seed["offerings"].as_array_mut().unwrap() {
        if offering["id"] == "daily" {
            offering["price"]["amount"] = json!("7.00");
            offering["renews"] = json!(false);
        }
    }
    house.seed(&seed).await;
    house.days(1).await;
    let amounts: Vec<_> = charging.record().iter().map(|event| event.amount.amount()).collect();
    assert_eq!(amounts, ["0.50", "0.50"]);
}

#[tokio::test]
async fn who_cannot_pay_rests_uncharged_is_told_and_goes_on_with_a_whole_period() {
    let (house, charging) = House::with_charging().await;
    house.order("e1", ANNA, "news").await;
    house.work().await;
    house.phones().await;
    charging.set_account(ANNA, Account { balance: Some(299), barred: false });
    house.days(31).await;
    assert_eq!(state(&house.products(ANNA).await), ["suspended"]);
    let texts = house.phones().await;
    assert!(texts.len() == 1 && texts[0].body.contains("已暂停"), "{texts:?}");
    house.days(1).await;
    assert!(house.phones().await.is_empty(), "told once");
    charging.set_account(ANNA, Account { balance: Some(300), barred: false });
    house.days(1).await;
    assert_eq!(state(&house.products(ANNA).await), ["active"]);
    assert_eq!(House::charged(&charging, ANNA), [(Activation, 0), (Renewal, 1)]);
    charging.set_account(ANNA, Account::default());
    // Resumed on 3 April: its next period begins on 3 May, not on 1 May.
    house.days(29).await;
    assert_eq!(House::charged(&charging, ANNA).len(), 2);
    house.days(1).await;
    assert_eq!(House::charged(&charging, ANNA).len(), 3);
}

#[tokio::test]
async fn who_cannot_pay_for_thirty_days_is_ended_and_may_order_again() {
    let (house, charging) = House::with_charging().await;
    house.order("e1", ANNA, "news").await;
    charging.set_account(ANNA, Account { balance: None, barred: true });
    house.days(31).await;
    for _ in 0..31 {
        house.days(1).await;
    }
    assert_eq!(state(&house.products(ANNA).await), ["terminated"]);
    assert_eq!(House::charged(&charging, ANNA), [(Activation, 0)]);
    charging.set_account(ANNA, Account::default());
    assert_eq!(house.order("e2", ANNA, "news").await["state"], "completed");
}

#[tokio::test]
async fn the_cap_kept_here_stands_against_a_renewal_too() {
    let house = House::new().await;
    house.seed(&periods()).await;
    house.order("e1", ANNA, "daily").await;
    house
        .seed(&json!({"payers": [{"number": ANNA, "monthly_cap": {"amount": "1.20", "currency": "CNY"}}]}))
        .await;
    house.days(1).await;
    house.days(1).await;
    assert_eq!(house.charges(ANNA).await, 2, "1.50 in one month is above the cap");
    assert_eq!(state(&house.products(ANNA).await), ["suspended"]);
}

#[tokio::test]
async fn while_payers_cannot_be_checked_nothing_is_charged_and_nobody_is_suspended() {
    let (house, charging) = House::with_charging().await;
    house.order("e1", ANNA, "daily").await;
    house.work().await;
    charging.set_faults(Faults { error: 1000, ..Faults::default() });
    house.days(2).await;
    assert_eq!(house.charges(ANNA).await, 1);
    assert_eq!(state(&house.products(ANNA).await), ["active"]);
    charging.set_faults(Faults::default());
    house.clock.advance_s(600);
    house.work().await;
    assert_eq!(House::charged(&charging, ANNA), [(Activation, 0), (Renewal, 1), (Renewal, 2)]);
}

#[tokio::test]
async fn what_does_not_renew_ends_with_its_period_uncharged() {
    let (house, charging) = House::with_charging().await;
    house.order("e1", ANNA, "pass").await;
    house.phones().await;
    house.days(30).await;
    assert_eq!(state(&house.products(ANNA).await), ["active"]);
    house.days(1).await;
    assert_eq!(state(&house.products(ANNA).await), ["terminated"]);
    assert!(house.phones().await[0].body.contains("已退订"));
    assert_eq!(House::charged(&charging, ANNA), [(Activation, 0)]);
    assert_eq!(house.order("e2", ANNA, "pass").await["state"], "completed");
}

#[tokio::test]
async fn a_subscription_from_before_is_charged_from_its_next_period_on() {
    let (house, charging) = House::with_charging().await;
    house
        .seed(&json!({"subscriptions": [{"number": ANNA, "offering": "news", "since": "2025-01-15T00:00:00Z"}]}))
        .await;
    house.days(13).await;
    assert_eq!(charging.record().len(), 0);
    house.days(1).await;
    assert_eq!(House::charged(&charging, ANNA), [(Renewal, 14)]);
    assert!(!House::charged(&charging, ANNA).contains(&(Reversal, 0)));
}
