//! The operator's hand on orders and products: PATCH merges, DELETE hides, POST takes the claim.

use http::StatusCode;
use serde_json::{Value, json};

use crate::house::*;

fn registered(number: &str, offering: &str, status: &str) -> Value {
    json!({"status": status, "productOffering": {"id": offering}, "startDate": "2026-01-15T00:00:00Z",
        "relatedParty": [{"id": number, "role": "customer"}]})
}

fn path(list: &str, resource: &Value) -> String {
    format!("{list}/{}", resource["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_product_registered_by_the_operator_takes_the_claim_and_is_written_down() {
    let house = House::new().await;
    let (status, headers, product) = house.post(PRODUCTS, &registered(ANNA, "news", "active")).await;
    assert_eq!(status, StatusCode::CREATED, "{product}");
    assert_eq!(headers["location"].to_str().unwrap(), path(PRODUCTS, &product));
    assert_eq!(
        (&product["status"], &product["startDate"]),
        (&json!("active"), &json!("2026-01-15T00:00:00Z"))
    );
    // It holds the claim: neither an order nor another registration gets it.
    let order = house.order("e1", ANNA, "news").await;
    assert_eq!(house.state(&order).await.1, Some(domain::order::Reason::AlreadySubscribed));
    assert_eq!(house.post(PRODUCTS, &registered(ANNA, "news", "suspended")).await.0, StatusCode::CONFLICT);
    house.order("e2", ANNA, "crbt").await;
    assert_eq!(house.post(PRODUCTS, &registered(ANNA, "crbt", "active")).await.0, StatusCode::CONFLICT);
    assert_eq!(house.charges(ANNA).await, 0);
    assert!(house.audit().await.contains(&("operator/all".to_owned(), "product_activated".to_owned())));
    house.days(20).await;
    // Its period goes on like any other's.
    assert_eq!(house.charges(ANNA).await, 1);
}

#[tokio::test]
async fn what_no_product_can_be_is_refused_and_leaves_nothing() {
    let house = House::new().await;
    let mut bodies = vec![
        json!({}),
        json!({"status": "active"}),
        registered(ANNA, "news", "terminated"),
        registered(ANNA, "news", "sleeping"),
        registered(ANNA, "nothing", "active"),
        registered("Anna", "news", "active"),
    ];
    let mut later = registered(ANNA, "news", "active");
    later["startDate"] = json!("2027-01-01T00:00:00Z");
    let mut odd = registered(ANNA, "news", "active");
    odd["isBundle"] = json!("yes");
    bodies.extend([later, odd]);
    for body in bodies {
        let (status, _, error) = house.post(PRODUCTS, &body).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalidBody")), "{body}");
    }
    assert_eq!(house.get(PRODUCTS).await.2, json!([]));
    // The claim is still free.
    assert_eq!(house.order("e1", ANNA, "news").await["state"], "completed");
}

#[tokio::test]
async fn a_products_state_goes_only_where_its_table_leads() {
    let house = House::new().await;
    let (_, _, product) = house.post(PRODUCTS, &registered(ANNA, "news", "created")).await;
    let one = path(PRODUCTS, &product);
    let put = async |status: &str| house.patch(&one, &json!({"status": status})).await;
    assert_eq!(put("suspended").await.0, StatusCode::CONFLICT);
    for status in ["pendingActive", "active", "active", "suspended", "active", "pendingTerminate", "active"] {
        let (answered, _, product) = put(status).await;
        assert_eq!((answered, &product["status"]), (StatusCode::OK, &json!(status)));
    }
    for (change, status) in [
        (json!({"status": "sleeping"}), 400),
        (json!({"name": "other"}), 400),
        (json!({"productOffering": {"id": "crbt"}}), 400),
        (json!({"status": null}), 400),
        (json!([]), 400),
        (json!({"name": "手机报", "id": product["id"]}), 200),
    ] {
        assert_eq!(house.patch(&one, &change).await.0.as_u16(), status, "{change}");
    }
    let (_, _, ended) = put("terminated").await;
    assert_eq!(ended["status"], "terminated");
    assert!(ended["terminationDate"].is_string());
    assert_eq!(put("active").await.0, StatusCode::CONFLICT);
    // The claim is free again.
    assert_eq!(house.order("e1", ANNA, "news").await["state"], "completed");
}

#[tokio::test]
async fn a_product_deleted_has_ended_and_is_gone_from_the_face_while_evidence_stays() {
    let house = House::new().await;
    let (_, _, product) = house.post(PRODUCTS, &registered(ANNA, "news", "suspended")).await;
    let one = path(PRODUCTS, &product);
    assert_eq!(house.delete(&one).await.0, StatusCode::NO_CONTENT);
    for _ in 0..2 {
        assert_eq!(house.get(&one).await.0, StatusCode::NOT_FOUND);
        assert_eq!(house.delete(&one).await.0, StatusCode::NOT_FOUND);
        assert_eq!(house.patch(&one, &json!({"status": "active"})).await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(house.get(PRODUCTS).await.2, json!([]));
    assert_eq!(
        house.get(&format!("{PRODUCTS}?relatedParty.id=%2B8613800138001")).await.1["x-total-count"],
        "0"
    );
    let id = product["id"].as_str().unwrap().parse().unwrap();
    let read = house.platform.store.read(move |view| view.platform().find_product(id));
    let row = read.await.unwrap_or_else(|error: store::StoreError| panic!("{error}")).unwrap();
    assert_eq!(row.state, domain::order::ProductState::Terminated);
    assert!(house.audit().await.contains(&("operator/all".to_owned(), "product_withdrawn".to_owned())));
    assert_eq!(house.order("e1", ANNA, "news").await["state"], "completed");
}

#[tokio::test]
async fn what_is_written_beside_an_order_can_be_changed_until_it_ends() {
    let house = House::new().await;
    let mut body = add("e1", ANNA, "crbt");
    body["description"] = json!("first");
    body["priority"] = json!("4");
    let (_, _, order) = house.post(ORDERS, &body).await;
    assert_eq!((&order["description"], &order["priority"]), (&json!("first"), &json!("4")));
    let one = path(ORDERS, &order);
    let change =
        json!({"description": "second", "priority": null, "note": [{"text": "called"}], "state": "pending"});
    let (status, _, changed) = house.patch(&one, &change).await;
    assert_eq!(status, StatusCode::OK);
    let (_, _, read) = house.get(&one).await;
    assert_eq!(changed, read);
    assert_eq!((&read["description"], &read["priority"]), (&json!("second"), &Value::Null));
    assert_eq!(
        (&read["note"], &read["productOrderItem"]),
        (&json!([{"text": "called"}]), &order["productOrderItem"])
    );
    for (change, status) in [
        (json!({"state": "completed"}), 409),
        (json!({"externalId": "e2"}), 400),
        (json!({"relatedParty": []}), 400),
        (json!({"productOrderItem": [{"id": "1", "action": "delete"}]}), 400),
        (json!({"description": 7}), 400),
        (json!({"requestedStartDate": "soon"}), 400),
        (json!("description"), 400),
    ] {
        let (answered, _, error) = house.patch(&one, &change).await;
        assert_eq!(answered.as_u16(), status, "{change}: {error}");
    }
    assert_eq!(house.get(&one).await.2, read);
    house.post(CANCELS, &json!({"productOrder": {"id": order["id"]}})).await;
    let (status, ..) = house.patch(&one, &json!({"description": "third"})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(house.audit().await.contains(&("operator/all".to_owned(), "order_changed".to_owned())));
}

#[tokio::test]
async fn an_order_can_be_deleted_once_it_has_ended_and_its_evidence_stays() {
    let house = House::new().await;
    let open = house.order("e1", ANNA, "crbt").await;
    assert_eq!(house.delete(&path(ORDERS, &open)).await.0, StatusCode::CONFLICT);
    let done = house.order("e2", ANNA, "news").await;
    assert_eq!(house.delete(&path(ORDERS, &done)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(house.get(&path(ORDERS, &done)).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.delete(&path(ORDERS, &done)).await.0, StatusCode::NOT_FOUND);
    for query in ["", "externalId=e1,e2", "relatedParty.id=%2B8613800138001", "state=completed,pending"] {
        let (_, headers, items) = house.get(&format!("{ORDERS}?{query}")).await;
        assert_eq!(
            (items.as_array().unwrap().len(), &headers["x-total-count"]),
            (1, &"1".parse().unwrap()),
            "{query}"
        );
    }
    // What came of it goes on, and so does what is known of it.
    assert_eq!(house.products(ANNA).await, [("news".to_owned(), "active".to_owned())]);
    let id = done["id"].as_str().unwrap().parse().unwrap();
    let read = house.platform.store.read(move |view| view.platform().find_order(id));
    assert!(read.await.unwrap_or_else(|error: store::StoreError| panic!("{error}")).is_some());
    assert!(house.audit().await.contains(&("operator/all".to_owned(), "order_withdrawn".to_owned())));
}
