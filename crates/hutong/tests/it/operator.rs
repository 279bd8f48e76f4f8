//! The operator's interface of a whole house, over real sockets.

use domain::order::{Progress, Reason};
use serde_json::{Value, json};

use crate::house::{House, OPERATOR_TOKEN, code, elsewhere, http};

async fn call(house: &House, method: &str, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/operator/v1/{path}", house.api);
    let request = http().request(method.parse().unwrap(), url).bearer_auth(OPERATOR_TOKEN);
    let answer =
        request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_designation_that_ends_ends_open_orders_when_they_are_answered_and_leaves_subscriptions() {
    let house = House::start().await;
    let (li, mut zhang) = house.friends().await;
    li.share("crbt").await;
    let (order, from, right) = zhang.prompted("crbt", "k1").await;
    assert_eq!(call(&house, "DELETE", "providers/xx/designation", json!({})).await.0, 204);
    zhang.reply(&from, &right).await;
    zhang.ends(&order, Progress::Cancelled, Reason::OfferingChanged).await;
    assert_eq!(house.active_products(li.number, "crbt").await, 1);

    let (status, history) = call(&house, "GET", &format!("orders/{}", order.id), json!({})).await;
    assert_eq!(status, 200, "{history}");
    let said: Vec<_> = history["history"].as_array().unwrap().iter().map(|row| &row["action"]).collect();
    assert_eq!(said, ["order_accepted", "order_asked", "order_cancelled"]);
    assert_eq!(history["history"][2]["detail"]["reason"], "OFFERING_CHANGED");
    assert_eq!(history["confirmation"]["outcome"], "ended");
    assert!(["accepted", "delivered"].iter().any(|state| history["confirmation"]["text"]["state"] == *state));
    assert_eq!(history["confirmation"]["code"], Value::Null);
    assert!(!history.to_string().contains("13800138001"), "a number in an answer");
    let (_, page) = call(&house, "GET", "orders?number=13800138001&state=cancelled&limit=1", json!({})).await;
    assert_eq!(page["items"][0]["external_id"], order.id.to_string());
    let (_, none) =
        call(&house, "GET", "orders?number=13800138001&since=2999-01-01T00:00:00Z", json!({})).await;
    assert_eq!(none["items"], json!([]));
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_numbers_new_owner_starts_with_nothing_of_the_former_one() {
    let house = House::start().await;
    let (li, mut zhang) = house.friends().await;
    li.share("crbt").await;
    li.share("reading").await;
    let (done, from, right) = zhang.prompted("crbt", "k1").await;
    zhang.reply(&from, &right).await;
    zhang.wait(&done, Progress::Completed).await;
    zhang.next_text().await;
    // One order still waits for its answer.
    let (_, from, right) = zhang.prompted("reading", "k2").await;
    let former = zhang.client.clone();

    let (status, closed) = call(&house, "POST", "numbers/13800138001/new-owner", json!({})).await;
    assert_eq!((status, closed), (200, json!({"account": true, "subscriptions": 1, "orders": 1})));
    assert_eq!(code(former.me().await), "auth/invalid");
    // The code that the former owner got is worth nothing in the new one's hands.
    zhang.reply(&from, &right).await;
    assert_eq!(house.active_products(zhang.number, "reading").await, 0);
    assert_eq!(house.list("productInventory/v4/product", zhang.number).await, Vec::<Value>::new());
    assert_eq!(
        house.list("productOrderingManagement/v4/productOrder", zhang.number).await,
        Vec::<Value>::new()
    );
    assert!(li.matches().await.is_empty());

    // The number can have anew what the former owner had: no claim and no product is left behind.
    let (_, help) = zhang.next_text().await;
    assert!(!help.contains("阅读") && !help.contains("彩铃"), "the former owner's end was told: {help}");
    let order = elsewhere(zhang.number, "add", "crbt", None);
    let answer = house.post("/tmf-api/productOrderingManagement/v4/productOrder", order).await;
    let order: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(order["state"], "pending", "{order}");
    let (status, closed) = call(&house, "POST", "numbers/13900139009/new-owner", json!({})).await;
    assert_eq!((status, closed), (200, json!({"account": false, "subscriptions": 0, "orders": 0})));
    house.end().await;
}
