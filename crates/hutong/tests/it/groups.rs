//! A short-number group, from one friend to the other.

use domain::order::{Progress, Reason};
use serde_json::Value;

use crate::house::{House, digits};

const SEED: &str = include_str!("../../../../examples/short_numbers.json");
const ORDERS: &str = "productOrderingManagement/v4/productOrder";
const PRODUCTS: &str = "productInventory/v4/product";

/// A characteristic of the live product that somebody has.
async fn characteristic(house: &House, number: &str, name: &str) -> Option<String> {
    let products = house.list(PRODUCTS, number).await;
    let live = products.iter().find(|product| product["status"] == "active")?;
    let all = live["productCharacteristic"].as_array()?;
    all.iter().find(|one| one["name"] == name)?["value"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tap_joins_a_friends_group_which_the_platform_learns_by_a_reference_alone() {
    let house = House::start().await;
    house.seed(SEED).await;
    let (li, mut zhang) = house.friends().await;
    let wang = house.person("+8613900139009").await;
    wang.upload(&[zhang.number]).await;
    zhang.upload(&[li.number, wang.number]).await;
    li.share("family").await;
    wang.share("office").await;

    let order = zhang.tap("family", "join").await;
    zhang.wait(&order, Progress::Completed).await;
    let short = characteristic(&house, zhang.number, "shortNumber").await.unwrap();
    let receipt = zhang.next_text().await.1;
    assert!(receipt.contains("短号") && digits(&receipt, 4) == short, "{receipt}");
    let family = house.list(PRODUCTS, li.number).await;
    let family = family.iter().find(|product| product["productOffering"]["id"] == "family").unwrap();
    let of_li = |name: &str| -> Value {
        let all = family["productCharacteristic"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()["value"].clone()
    };
    assert!(of_li("shortNumber") == "6001" && short != "6001");
    let ordered = house.list(ORDERS, zhang.number).await;
    assert!(!ordered[0].to_string().contains(li.number.trim_start_matches('+')));
    assert_eq!(ordered[0]["note"][0]["text"], of_li("referralReference"));

    // The other friend's group takes nobody who is in one; once zhang has left, it does.
    let refused = zhang.tap("office", "two").await;
    zhang.ends(&refused, Progress::Rejected, Reason::InAnotherGroup).await;
    let service = zhang.service("family").await;
    let left = zhang.client.unsubscribe(service.id).await.unwrap();
    zhang.wait(&zhang.client.order(left.order, 0).await.unwrap(), Progress::Completed).await;
    let order = zhang.tap("office", "three").await;
    zhang.wait(&order, Progress::Completed).await;
    assert_eq!(characteristic(&house, zhang.number, "shortNumber").await.unwrap().len(), 3);
    house.end().await;
}
