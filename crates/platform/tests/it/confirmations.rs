//! A designated provider's service: asked for, answered or not.

use domain::funnel::FunnelStep;
use domain::order::Reason;
use serde_json::json;
use store::texts::TextState;

use crate::house::*;

#[tokio::test]
async fn a_designated_providers_service_waits_for_its_code_and_then_starts() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    assert_eq!(order["state"], "pending");
    assert!(house.products(ANNA).await.is_empty());
    let texts = house.phones().await;
    let text = &texts[0];
    assert!(text.body.contains("XX科技") && text.body.contains("5元/月"), "{text:?}");
    assert_eq!(text.suffix.len(), 2);
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert_eq!(house.state(&order).await, ("completed".to_owned(), None));
    assert_eq!(house.products(ANNA).await, [("crbt".to_owned(), "active".to_owned())]);
    assert_eq!(house.charges(ANNA).await, 1);
    assert!(house.phones().await[0].body.contains("已开通"));
    for (step, count) in [(FunnelStep::Prompted, 1), (FunnelStep::Replied, 1), (FunnelStep::Active, 1)] {
        assert_eq!(house.funnel(step).await, count, "{step:?}");
    }
}

#[tokio::test]
async fn the_code_is_in_no_answer_of_any_interface() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let code = house.phones().await[0].code();
    let (_, _, shown) = house.get(&format!("{ORDERS}/{}", order["id"].as_str().unwrap())).await;
    let digits = |text: &str| text.split(|c: char| !c.is_ascii_digit()).any(|run| run == code);
    assert!(!digits(&shown["note"].to_string()) && !digits(&shown["productOrderItem"].to_string()));
}

#[tokio::test]
async fn a_wrong_answer_ends_the_order_and_the_right_one_after_it_does_nothing() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    let wrong = if text.code() == "1234" { "4321" } else { "1234" };
    house.reply(ANNA, &text.suffix, wrong).await;
    assert_eq!(house.state(&order).await, ("cancelled".to_owned(), Some(Reason::ConfirmationMismatch)));
    let told = house.phones().await;
    assert!(told[0].body.contains("未订购") && told[0].body.contains("未扣费"), "{told:?}");
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert_eq!(house.state(&order).await.0, "cancelled");
    assert_eq!((house.charges(ANNA).await, house.products(ANNA).await.len()), (0, 0));
    assert_eq!(house.order("e2", ANNA, "crbt").await["state"], "pending");
}

#[tokio::test]
async fn with_three_attempts_two_wrong_answers_are_forgiven() {
    let house = House::with(|config| config.attempts = 3).await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    for _ in 0..2 {
        house.reply(ANNA, &text.suffix, "hello").await;
        assert_eq!(house.state(&order).await.0, "pending");
    }
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert_eq!(house.state(&order).await.0, "completed");
}

#[tokio::test]
async fn the_code_counts_only_from_the_phone_that_was_asked() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    house.reply(BEN, &text.suffix, &text.code()).await;
    assert_eq!(house.state(&order).await.0, "pending");
    assert!(house.products(BEN).await.is_empty());
}

#[tokio::test]
async fn silence_past_the_time_limit_ends_the_order_and_counts_from_the_acceptance() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    house.clock.advance_s(3_000);
    let text = house.phones().await.remove(0);
    house.clock.advance_s(86_400 - 1);
    house.work().await;
    assert_eq!(house.state(&order).await.0, "pending");
    house.clock.advance_s(1);
    house.work().await;
    assert_eq!(house.state(&order).await, ("cancelled".to_owned(), Some(Reason::ConfirmationTimeout)));
    house.phones().await;
    house.reply(ANNA, &text.suffix, &text.code()).await;
    let told = house.phones().await;
    assert!(told.len() == 1 && told[0].body.contains("时限已过"), "{told:?}");
    assert_eq!(house.charges(ANNA).await, 0);
}

#[tokio::test]
async fn an_answer_after_the_limit_is_too_late_even_when_the_clerk_was_slow() {
    let house = House::with(|config| config.confirmation_time_limit_s = 60).await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    house.clock.advance_s(61);
    house.reply(ANNA, &text.suffix, &text.code()).await;
    house.work().await;
    assert_eq!(house.state(&order).await.1, Some(Reason::ConfirmationTimeout));
    assert!(house.products(ANNA).await.is_empty());
}

#[tokio::test]
async fn a_text_that_the_centre_refuses_or_does_not_take_within_the_hour_ends_the_order() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    house.phones_where(TextState::Rejected).await;
    assert_eq!(house.state(&order).await, ("cancelled".to_owned(), Some(Reason::TextUndeliverable)));
    let order = house.order("e2", BEN, "crbt").await;
    house.clock.advance_s(3_599);
    house.work().await;
    assert_eq!(house.state(&order).await.0, "pending");
    house.clock.advance_s(1);
    house.work().await;
    assert_eq!(house.state(&order).await.1, Some(Reason::TextUndeliverable));
}

#[tokio::test]
async fn an_answer_to_an_offering_that_changed_meanwhile_cancels_the_order() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    let mut dearer = catalogue();
    dearer["offerings"][1]["price"]["amount"] = json!("6.00");
    house.seed(&dearer).await;
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert_eq!(house.state(&order).await, ("cancelled".to_owned(), Some(Reason::OfferingChanged)));
    assert_eq!(house.charges(ANNA).await, 0);
}

#[tokio::test]
async fn a_pending_order_can_be_taken_back_once_and_its_code_is_void() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    let cancel = json!({"productOrder": {"id": order["id"]}});
    let (status, headers, task) = house.post(CANCELS, &cancel).await;
    assert_eq!((status.as_u16(), &task["state"]), (201, &json!("done")));
    let location = headers["location"].to_str().unwrap();
    assert_eq!(house.get(location).await.2, task);
    assert_eq!(house.state(&order).await, ("cancelled".to_owned(), Some(Reason::UserCancelled)));
    assert_eq!(house.post(CANCELS, &cancel).await.2, task);
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert!(house.products(ANNA).await.is_empty());
    assert_eq!(house.order("e2", ANNA, "crbt").await["state"], "pending");
}

#[tokio::test]
async fn an_order_that_is_done_cannot_be_taken_back_and_one_that_is_not_there_is_a_fault_of_the_body() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "news").await;
    let (status, _, error) = house.post(CANCELS, &json!({"productOrder": {"id": order["id"]}})).await;
    assert_eq!((status.as_u16(), &error["code"]), (409, &json!("invalidState")));
    assert_eq!(house.state(&order).await.0, "completed");
    let (status, ..) = house.post(CANCELS, &json!({"productOrder": {"id": "x"}})).await;
    assert_eq!(status.as_u16(), 400);
}
