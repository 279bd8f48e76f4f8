//! The rows of the state table that need no confirmation.

use domain::funnel::FunnelStep;
use domain::order::Reason;
use serde_json::json;

use crate::house::*;

#[tokio::test]
async fn an_order_for_the_operators_own_service_is_completed_at_once() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "news").await;
    assert_eq!(state_of(&order), ("completed".to_owned(), None));
    assert_eq!(house.products(ANNA).await, [("news".to_owned(), "active".to_owned())]);
    assert_eq!(house.charges(ANNA).await, 1);
    let texts = house.phones().await;
    assert_eq!(texts.len(), 1);
    assert!(
        texts[0].to == ANNA && texts[0].body.contains("手机报") && texts[0].body.contains("3元/月"),
        "{texts:?}"
    );
    assert_eq!(house.funnel(FunnelStep::Active).await, 1);
}

#[tokio::test]
async fn the_same_external_id_is_the_same_order_whatever_it_says() {
    let house = House::new().await;
    let first = house.order("e1", ANNA, "news").await;
    let second = house.order("e1", ANNA, "crbt").await;
    assert_eq!(first, second);
    assert_eq!((house.charges(ANNA).await, house.phones().await.len()), (1, 1));
}

#[tokio::test]
async fn who_has_it_already_is_refused_and_told_so_by_text() {
    let house = House::new().await;
    house.order("e1", ANNA, "news").await;
    house.phones().await;
    let again = house.order("e2", ANNA, "news").await;
    assert_eq!(state_of(&again), ("rejected".to_owned(), Some(Reason::AlreadySubscribed)));
    let texts = house.phones().await;
    assert!(texts.len() == 1 && texts[0].body.contains("已订购"), "{texts:?}");
    assert_eq!(house.products(ANNA).await.len(), 1);
    assert_eq!(house.order("e3", BEN, "news").await["state"], "completed");
}

#[tokio::test]
async fn an_order_beside_an_open_one_is_refused_with_the_open_ones_id() {
    let house = House::new().await;
    let open = house.order("e1", ANNA, "crbt").await;
    let second = house.order("e2", ANNA, "crbt").await;
    assert_eq!(state_of(&second), ("rejected".to_owned(), Some(Reason::OrderOpen)));
    let notes = second["note"].as_array().unwrap();
    assert!(notes.iter().any(|note| note["id"] == "openOrder" && note["text"] == open["id"]), "{notes:?}");
    assert_eq!(house.phones().await.len(), 1);
}

#[tokio::test]
async fn a_provider_without_a_contract_and_an_offering_not_on_sale_are_refused() {
    let house = House::new().await;
    let reason = async |id, offering| state_of(&house.order(id, ANNA, offering).await).1;
    assert_eq!(reason("e1", "spam").await, Some(Reason::ProviderNotDesignated));
    // The refusal has given the claim back: the reason stays the same.
    assert_eq!(reason("e2", "spam").await, Some(Reason::ProviderNotDesignated));
    assert_eq!(reason("e3", "old").await, Some(Reason::OfferingNotAvailable));
    assert_eq!(reason("e4", "nothing").await, Some(Reason::OfferingNotAvailable));
    assert!(house.phones().await.is_empty());
    assert_eq!(house.charges(ANNA).await, 0);
}

#[tokio::test]
async fn a_designation_that_has_ended_is_none() {
    let house = House::new().await;
    let xx = json!({"providers": [{"id": "xx", "name": {"en": "XX Tech"}, "kind": "designated", "until": "2026-03-01"}]});
    house.seed(&xx).await;
    assert_eq!(house.order("e1", ANNA, "crbt").await["state"], "pending");
    house.clock.advance_s(86_400);
    assert_eq!(state_of(&house.order("e2", BEN, "crbt").await).1, Some(Reason::ProviderNotDesignated));
}

#[tokio::test]
async fn a_card_with_an_older_version_is_refused_as_changed() {
    let house = House::new().await;
    let mut order = add("e1", ANNA, "news");
    order["productOrderItem"][0]["productOffering"]["version"] = json!("1");
    let mut cheaper = catalogue();
    cheaper["offerings"][0]["price"]["amount"] = json!("2.00");
    house.seed(&cheaper).await;
    let (_, _, answer) = house.post(ORDERS, &order).await;
    assert_eq!(state_of(&answer), ("rejected".to_owned(), Some(Reason::OfferingChanged)));
    order["externalId"] = json!("e2");
    order["productOrderItem"][0]["productOffering"]["version"] = json!("2");
    let (_, _, answer) = house.post(ORDERS, &order).await;
    assert_eq!(answer["state"], "completed");
}

#[tokio::test]
async fn the_payers_bar_and_cap_and_a_conflicting_service_stand_against_an_order() {
    let house = House::new().await;
    house
        .seed(&json!({"payers": [{"number": ANNA, "barred": true},
        {"number": BEN, "monthly_cap": {"amount": "4.00", "currency": "CNY"}}]}))
        .await;
    let reason = async |id, number, offering| state_of(&house.order(id, number, offering).await).1;
    assert_eq!(reason("e1", ANNA, "news").await, Some(Reason::PayerCheckFailed));
    assert_eq!(reason("e2", BEN, "crbt").await, Some(Reason::PayerCheckFailed));
    assert_eq!(reason("e3", BEN, "news").await, None);
    let carl = "+8613800138003";
    assert_eq!(reason("e4", carl, "news").await, None);
    assert_eq!(reason("e5", carl, "rival").await, Some(Reason::ConflictingService));
    // The conflict counts in both directions, though only one of the two says so.
    let dora = "+8613800138004";
    assert_eq!(reason("e6", dora, "rival").await, None);
    assert_eq!(reason("e7", dora, "news").await, Some(Reason::ConflictingService));
}

#[tokio::test]
async fn unsubscribing_ends_the_product_frees_the_claim_and_is_told() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "news").await;
    house.phones().await;
    let product = &order["productOrderItem"][0]["product"]["id"];
    let end = house.unsubscribe("e2", ANNA, product).await;
    assert_eq!(end["state"], "completed");
    assert_eq!(house.products(ANNA).await, [("news".to_owned(), "terminated".to_owned())]);
    assert!(house.phones().await[0].body.contains("已退订"));
    assert_eq!(state_of(&house.unsubscribe("e3", ANNA, product).await).1, Some(Reason::NotSubscribed));
    assert_eq!(house.order("e4", ANNA, "news").await["state"], "completed");
    assert_eq!(house.charges(ANNA).await, 2);
}

#[tokio::test]
async fn nobody_can_end_what_is_somebody_elses() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "news").await;
    let product = &order["productOrderItem"][0]["product"]["id"];
    assert_eq!(state_of(&house.unsubscribe("e2", BEN, product).await).1, Some(Reason::NotSubscribed));
    assert_eq!(house.products(ANNA).await[0].1, "active");
}

#[tokio::test]
async fn orders_placed_side_by_side_make_one_subscription() {
    let house = House::new().await;
    let (one, two, three, four) = tokio::join!(
        house.order("a", ANNA, "news"),
        house.order("b", ANNA, "news"),
        house.order("b", ANNA, "news"),
        house.order("c", ANNA, "news")
    );
    let completed = [&one, &two, &four].into_iter().filter(|order| order["state"] == "completed").count();
    assert_eq!((completed, &two), (1, &three));
    assert_eq!((house.products(ANNA).await.len(), house.charges(ANNA).await), (1, 1));
}
