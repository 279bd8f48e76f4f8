//! Lists: filters filter, sorts sort, pages count, projections project, at every list.

use serde_json::{Value, json};

use crate::house::*;

/// Six orders of two people, a second apart: four carried out, one that waits, one refused.
async fn ordered() -> House {
    let house = House::new().await;
    for (external_id, number, offering) in [
        ("a", ANNA, "news"),
        ("b", BEN, "news"),
        ("c", ANNA, "crbt"),
        ("d", BEN, "spam"),
        ("e", "+8613800138003", "news"),
        ("f", "+8613800138004", "news"),
    ] {
        house.order(external_id, number, offering).await;
        house.clock.advance_s(1);
    }
    house
}

/// What a list holds under a query, by a member of each item, and how many there are in all.
async fn list(house: &House, path: &str, query: &str, member: &str) -> (String, usize) {
    let (status, headers, items) = house.get(&format!("{path}?{query}")).await;
    assert_eq!(status.as_u16(), 200, "{query}: {items}");
    let count = |name: &str| headers[name].to_str().unwrap().parse::<usize>().unwrap();
    let items = items.as_array().unwrap();
    assert_eq!(count("x-result-count"), items.len(), "{query}");
    let shown: Vec<_> = items.iter().map(|item| item[member].as_str().unwrap()).collect();
    (shown.join(" "), count("x-total-count"))
}

#[tokio::test]
async fn orders_are_filtered_by_any_attribute_sorted_and_counted() {
    let house = ordered().await;
    let orders = async |query: &str| list(&house, ORDERS, query, "externalId").await;
    let row = |ids: &str, total| (ids.to_owned(), total);
    assert_eq!(orders("productOrderItem.productOffering.id=news").await, row("a b e f", 4));
    assert_eq!(orders("productOrderItem.productOffering.id=news&offset=1&limit=2").await, row("b e", 4));
    assert_eq!(orders("productOrderItem.productOffering.id=crbt,spam&state=pending").await, row("c", 1));
    assert_eq!(orders("externalId.gt=d&externalId.lte=f").await, row("e f", 2));
    assert_eq!(orders("externalId.regex=^[ac]$").await, row("a c", 2));
    assert_eq!(
        orders("orderDate.gte=2026-03-01T02:00:02Z&orderDate.lt=2026-03-01T02:00:04Z").await,
        row("c d", 2)
    );
    assert_eq!(orders("completionDate.gt=2026-03-01").await, row("a b e f", 4));
    assert_eq!(orders("priority=4").await, row("", 0));
    assert_eq!(orders("sort=-orderDate&limit=2").await, row("f e", 6));
    assert_eq!(orders("sort=state,-externalId").await, row("f e b a c d", 6));
    assert_eq!(orders("relatedParty.id=%2B8613800138001&sort=-externalId").await, row("c a", 2));
    assert_eq!(orders("state=nonsense").await, row("", 0));
    assert_eq!(orders("offset=100").await, row("", 6));
}

#[tokio::test]
async fn an_order_is_found_by_a_party_that_is_no_number() {
    let house = House::new().await;
    let party = json!({"externalId": "k", "relatedParty": [{"id": "kit-42", "role": "customer"}],
        "productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": "news"}}]});
    house.post(ORDERS, &party).await;
    house.order("a", ANNA, "news").await;
    let found = list(&house, ORDERS, "relatedParty.id=kit-42", "externalId").await;
    assert_eq!(found, ("k".to_owned(), 1));
    let both = list(&house, ORDERS, "relatedParty.id=kit-42,%2B8613800138001", "externalId").await;
    assert_eq!(both, ("k a".to_owned(), 2));
}

#[tokio::test]
async fn products_and_offerings_are_filtered_by_what_they_show() {
    let house = ordered().await;
    let id = async |path: &str, query: &str| list(&house, path, query, "name").await;
    let row = |ids: &str, total| (ids.to_owned(), total);
    let price = "productPrice.price.taxIncludedAmount.value";
    assert_eq!(id(PRODUCTS, &format!("{price}=3&limit=1")).await, row("手机报", 4));
    assert_eq!(id(PRODUCTS, &format!("{price}.gt=3")).await, row("", 0));
    assert_eq!(id(PRODUCTS, "billingAccount.id=%2B8613800138002").await, row("手机报", 1));
    assert_eq!(id(PRODUCTS, "startDate.lt=2026-03-01T02:00:01Z").await, row("手机报", 1));
    assert_eq!(id(OFFERINGS, "productOfferingPrice.price.taxIncludedAmount.value.gte=5").await.1, 2);
    assert_eq!(id(OFFERINGS, "relatedParty.id=xx").await, row("彩铃包月 游戏", 2));
    assert_eq!(id(OFFERINGS, "lifecycleStatus=Retired").await, row("旧业务", 1));
    assert_eq!(id(OFFERINGS, "sort=-name&limit=1&name.regex=.{4}").await, row("彩铃包月", 1));
}

#[tokio::test]
async fn what_no_resource_has_cannot_be_filtered_or_sorted_by() {
    let house = House::new().await;
    for path in [ORDERS, PRODUCTS, OFFERINGS, CANCELS] {
        for query in [
            "colour=red",
            "sort=colour",
            "id.between=1",
            "@type.x=1",
            "id.regex=(",
            "id.regex=((a{99}){99}){99}",
            "sort=id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id,id",
        ] {
            let (status, _, error) = house.get(&format!("{path}?{query}")).await;
            assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalidQuery")), "{path}?{query}");
        }
    }
    for (path, query) in
        [(ORDERS, "orderDate.gt=soon"), (PRODUCTS, "isBundle=perhaps"), (OFFERINGS, "relatedParty=x")]
    {
        let (status, _, error) = house.get(&format!("{path}?{query}")).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalidQuery")), "{path}?{query}");
    }
}

#[tokio::test]
async fn a_projection_gives_what_was_asked_for_in_lists_too() {
    let house = ordered().await;
    let path = format!("{ORDERS}?externalId=a&fields=state,productOrderItem.productOffering.id,nothing");
    let (_, _, items) = house.get(&path).await;
    let mut order = items[0].clone();
    let members = order.as_object_mut().unwrap();
    for kept in ["id", "href", "@type"] {
        assert!(members.remove(kept).is_some_and(|value| value.is_string()), "{kept}");
    }
    assert_eq!(
        order,
        json!({"state": "completed", "productOrderItem": [{"productOffering": {"id": "news"}}]})
    );
}

/// The members that the official kits look for in every item of a list.
#[tokio::test]
async fn lists_hold_every_member_that_the_kits_look_for() {
    let house = ordered().await;
    let holds = |item: &Value, names: &[&str]| {
        names.iter().for_each(|name| assert!(!item[*name].is_null(), "{name} is missing in {item}"));
    };
    for order in house.get(ORDERS).await.2.as_array().unwrap() {
        holds(order, &["id", "href", "state", "relatedParty", "productOrderItem"]);
    }
    for product in house.get(PRODUCTS).await.2.as_array().unwrap() {
        holds(
            product,
            &["id", "href", "billingAccount", "productCharacteristic", "productOffering", "productPrice"],
        );
        holds(product, &["relatedParty", "status"]);
    }
}
