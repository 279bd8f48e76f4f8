//! The seed.

use domain::funnel::FunnelStep;
use platform::seed::{SeedError, SeedReport};
use serde_json::json;

use crate::house::*;

#[tokio::test]
async fn a_seed_again_changes_nothing_and_brings_nothing_back() {
    let house = House::new().await;
    let mut seed = catalogue();
    seed["subscriptions"] = json!([{"number": ANNA, "offering": "spam", "since": "2026-01-01T00:00:00Z"}]);
    seed["payers"] = json!([{"number": BEN, "barred": true}]);
    let first = house.seed(&seed).await;
    assert_eq!(first, SeedReport { providers: 0, offerings: 0, subscriptions: 1, payers: 1 });
    assert_eq!(house.seed(&seed).await, SeedReport::default());
    let (_, _, products) = house.get(&format!("{PRODUCTS}?status=active")).await;
    assert_eq!(products[0]["startDate"], "2026-01-01T00:00:00Z");
    house.unsubscribe("e1", ANNA, &products[0]["id"]).await;
    assert_eq!(house.seed(&seed).await, SeedReport::default());
    assert_eq!(house.products(ANNA).await, [("spam".to_owned(), "terminated".to_owned())]);
}

#[tokio::test]
async fn seeded_subscriptions_hold_their_claims_and_are_neither_charged_nor_texted() {
    let house = House::new().await;
    house.seed(&json!({"subscriptions": [{"number": ANNA, "offering": "news", "since": "2026-01-01T00:00:00Z"}]})).await;
    assert_eq!(
        (house.charges(ANNA).await, house.phones().await.len(), house.funnel(FunnelStep::Active).await),
        (0, 0, 0)
    );
    assert_eq!(house.order("e1", ANNA, "news").await["state"], "rejected");
}

#[tokio::test]
async fn a_seed_with_faults_names_them_all_and_changes_nothing() {
    let house = House::new().await;
    let mut seed = catalogue();
    seed["offerings"][0]["price"]["amount"] = json!("9.00");
    seed["offerings"][1]["provider"] = json!("nobody");
    seed["subscriptions"] = json!([{"number": ANNA, "offering": "nothing", "since": "2026-01-01T00:00:00Z"}]);
    let result =
        platform::seed::seed(&house.platform, seed.to_string().as_bytes(), store::audit::Actor::Local).await;
    let Err(SeedError::Faults(faults)) = result else { panic!("{result:?}") };
    let places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(places, ["offerings[1].provider", "subscriptions[0].offering"]);
    assert_eq!(house.get(&format!("{OFFERINGS}/news")).await.2["version"], "1");
}
