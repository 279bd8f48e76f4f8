//! The rules that every face keeps.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::house::*;

#[tokio::test]
async fn without_a_token_or_with_a_wrong_one_nothing_is_answered() {
    let house = House::new().await;
    for path in [ORDERS, PRODUCTS, OFFERINGS] {
        for token in [None, Some("Bearer wrong"), Some("Basic x"), Some(TOKEN)] {
            let mut request = Request::get(path);
            if let Some(token) = token {
                request = request.header("authorization", token);
            }
            let (status, _, error) = house.call(request.body(Body::empty()).unwrap()).await;
            assert_eq!((status.as_u16(), &error["status"]), (401, &json!("401")), "{path} {token:?}");
        }
    }
    let open = House::with(|config| config.door = door(true)).await;
    let (status, ..) = open.call(Request::get(OFFERINGS).body(Body::empty()).unwrap()).await;
    assert_eq!(status.as_u16(), 200);
}

#[tokio::test]
async fn a_token_opens_what_its_scopes_name_and_nothing_else() {
    let house = House::new().await;
    let call = async |request: http::request::Builder, body: Value| {
        let request = request.header("authorization", format!("Bearer {READER}"));
        house.call(request.body(Body::from(body.to_string())).unwrap()).await
    };
    assert_eq!(call(Request::get(ORDERS), Value::Null).await.0.as_u16(), 200);
    assert_eq!(call(Request::get(PRODUCTS), Value::Null).await.0.as_u16(), 200);
    for (request, scope) in
        [(Request::get(OFFERINGS), "catalogue:read"), (Request::post(ORDERS), "orders:write")]
    {
        let (status, _, error) = call(request, add("e1", ANNA, "news")).await;
        assert_eq!((status.as_u16(), &error["status"]), (403, &json!("403")));
        assert!(error["message"].as_str().unwrap().contains(scope), "{error}");
    }
    assert_eq!(house.get(ORDERS).await.2, json!([]));
}

#[tokio::test]
async fn an_order_answers_201_with_its_place_and_can_be_read_there() {
    let house = House::new().await;
    let (status, headers, order) = house.post(ORDERS, &add("e1", ANNA, "news")).await;
    assert_eq!(status.as_u16(), 201);
    let (_, _, read) = house.get(headers["location"].to_str().unwrap()).await;
    assert_eq!(read, order);
    assert_eq!(order["relatedParty"][0]["id"], ANNA);
    let (_, _, part) = house.get(&format!("{}?fields=state", headers["location"].to_str().unwrap())).await;
    let mut members: Vec<_> = part.as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["@type", "href", "id", "state"]);
}

#[tokio::test]
async fn filters_filter_and_pages_count() {
    let house = House::new().await;
    for number in 0..5 {
        house.order(&format!("a{number}"), &format!("+861380013810{number}"), "news").await;
        // Ids are in order to the millisecond.
        house.clock.advance_s(1);
    }
    house.order("b", ANNA, "crbt").await;
    house.clock.advance_s(1);
    house.order("c", ANNA, "spam").await;
    let list = async |query: &str| {
        let (status, headers, items) = house.get(&format!("{ORDERS}?{query}")).await;
        assert_eq!(status.as_u16(), 200, "{items}");
        let count = |name: &str| headers[name].to_str().unwrap().parse::<usize>().unwrap();
        let ids = |item: &Value| item["externalId"].as_str().unwrap().to_owned();
        let ids: Vec<String> = items.as_array().unwrap().iter().map(ids).collect();
        assert_eq!(count("x-result-count"), ids.len());
        (ids.join(" "), count("x-total-count"))
    };
    assert_eq!(list("state=completed&offset=3&limit=1").await, ("a3".to_owned(), 5));
    assert_eq!(list("state=pending&state=rejected").await, ("b c".to_owned(), 2));
    assert_eq!(list("externalId=b").await, ("b".to_owned(), 1));
    assert_eq!(list("externalId=b&state=completed").await, (String::new(), 0));
    assert_eq!(list("relatedParty.id=%2B8613800138001").await, ("b c".to_owned(), 2));
    assert_eq!(list("relatedParty.id=+8613800138001&state=pending").await, ("b".to_owned(), 1));
    assert_eq!(list("relatedParty.id=nobody").await, (String::new(), 0));
    assert_eq!(list("limit=0").await, (String::new(), 7));
}

#[tokio::test]
async fn products_are_filtered_by_customer_status_and_offering() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "news").await;
    house.order("e2", BEN, "news").await;
    let product = &order["productOrderItem"][0]["product"]["id"];
    house.unsubscribe("e3", ANNA, product).await;
    let total = async |query: &str| {
        let (_, headers, _) = house.get(&format!("{PRODUCTS}?{query}")).await;
        headers["x-total-count"].to_str().unwrap().to_owned()
    };
    assert_eq!(total("").await, "2");
    assert_eq!(total("status=active").await, "1");
    assert_eq!(total("status=active&relatedParty.id=%2B8613800138001").await, "0");
    assert_eq!(total("productOffering.id=news").await, "2");
    assert_eq!(total("productOffering.id=new").await, "0");
    let (_, _, one) = house.get(&format!("{PRODUCTS}/{}", product.as_str().unwrap())).await;
    assert_eq!((&one["status"], &one["relatedParty"][0]["id"]), (&json!("terminated"), &json!(ANNA)));
    assert_eq!(one["productPrice"][0]["price"]["taxIncludedAmount"], json!({"unit": "CNY", "value": 3.0}));
}

#[tokio::test]
async fn offerings_are_listed_with_all_that_a_card_needs() {
    let house = House::new().await;
    let (_, headers, items) = house.get(&format!("{OFFERINGS}?lifecycleStatus=Active")).await;
    assert_eq!(headers["x-total-count"], "5");
    let items: Vec<tmf::ProductOffering> = serde_json::from_value(items).unwrap();
    let (offering, provider) = items.iter().find(|item| item.id == "crbt").unwrap().to_domain().unwrap();
    assert_eq!((offering.version, provider.id.as_str(), provider.kind.word()), (1, "xx", "designated"));
    assert_eq!(house.get(&format!("{OFFERINGS}?lifecycleStatus=Nonsense")).await.2, json!([]));
    assert_eq!(house.get(&format!("{OFFERINGS}/news")).await.2["name"], "手机报");
}

#[tokio::test]
async fn an_unknown_query_key_is_400_and_an_unknown_id_404() {
    let house = House::new().await;
    for list in [ORDERS, PRODUCTS, OFFERINGS, CANCELS] {
        for query in ["colour=red", "limit=x", "offset=-1"] {
            let (status, _, error) = house.get(&format!("{list}?{query}")).await;
            assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalidQuery")), "{list}?{query}");
        }
        for id in ["x", "00000000-0000-0000-0000-000000000000"] {
            let (status, _, error) = house.get(&format!("{list}/{id}")).await;
            assert_eq!((status.as_u16(), &error["code"]), (404, &json!("notFound")), "{list}/{id}");
        }
    }
}

#[tokio::test]
async fn what_is_no_order_is_400_and_what_cannot_be_done_is_an_order_rejected() {
    let house = House::new().await;
    let deep = "[".repeat(100_000);
    for body in [
        "",
        "{",
        "[]",
        "7",
        "{}",
        r#"{"productOrderItem":[]}"#,
        r#"{"productOrderItem":[{"id":"1"}]}"#,
        &deep,
    ] {
        let request = Request::post(ORDERS).header("authorization", format!("Bearer {TOKEN}"));
        let (status, _, error) = house.call(request.body(Body::from(body.to_owned())).unwrap()).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalidBody")));
    }
    let request = Request::post(ORDERS).header("authorization", format!("Bearer {TOKEN}"));
    let (status, ..) = house.call(request.body(Body::from(vec![b' '; 2 << 20])).unwrap()).await;
    assert_eq!(status.as_u16(), 413);
    // As the official kit posts it: no customer, no offering.
    let kit = json!({"productOrderItem": [{"id": "100", "action": "add"}]});
    let (status, _, order) = house.post(ORDERS, &kit).await;
    assert_eq!((status.as_u16(), &order["state"]), (201, &json!("rejected")));
    let party = json!({"relatedParty": [{"id": "12345", "role": "customer"}],
        "productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": "news"}}]});
    let (status, _, order) = house.post(ORDERS, &party).await;
    assert_eq!((status.as_u16(), &order["state"]), (201, &json!("rejected")));
    let (status, ..) = house
        .call(
            Request::put(ORDERS)
                .header("authorization", format!("Bearer {TOKEN}"))
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(status.as_u16(), 405);
}

/// What the audit log says of refused calls: who, which call, and the code.
async fn refusals(house: &House) -> Vec<(String, String, String)> {
    let read = |view: &mut store::View<'_>| view.audit().list_all();
    let rows = house.platform.store.read::<_, store::StoreError, _>(read).await.unwrap();
    let refused = rows.into_iter().filter(|row| row.action == "refused");
    let mut shown: Vec<_> = refused
        .map(|row| {
            let detail: Value = serde_json::from_str(&row.detail).unwrap();
            let word = |name: &str| detail[name].as_str().unwrap().to_owned();
            (row.seq, (row.actor, word("call"), word("code")))
        })
        .collect();
    shown.sort();
    shown.into_iter().map(|(_, row)| row).collect()
}

#[tokio::test]
async fn a_refused_call_stands_in_the_audit_log_without_what_its_path_names() {
    let house = House::new().await;
    let call = async |method: &str, path: &str, token: Option<&str>| {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        house.call(request.body(Body::empty()).unwrap()).await.0.as_u16()
    };
    let one = format!("{PRODUCTS}/{ANNA}");
    assert_eq!(call("GET", ORDERS, None).await, 401);
    assert_eq!(call("GET", &one, Some("a-guess")).await, 401);
    assert_eq!(call("POST", ORDERS, Some(READER)).await, 403);
    assert_eq!(call("GET", &one, Some(TOKEN)).await, 404);
    assert_eq!(call("POST", "/operator/v1/charges/nothing/retry", Some(TOKEN)).await, 404);
    assert_eq!(call("GET", PRODUCTS, Some(TOKEN)).await, 200);
    let row = |who: &str, call: String, code: &str| (format!("operator/{who}"), call, code.to_owned());
    let expected = [
        row("nobody", format!("GET {ORDERS}"), "auth/missing"),
        row("nobody", format!("GET {PRODUCTS}/{{id}}"), "auth/invalid"),
        row("reader", format!("POST {ORDERS}"), "auth/scope-missing"),
        row("all", format!("GET {PRODUCTS}/{{id}}"), "notFound"),
        row("all", "POST /operator/v1/charges/{id}/retry".to_owned(), "not-found"),
    ];
    let mut seen = refusals(&house).await;
    // Each name has a chain of its own, so that only a name's own rows have an order.
    let mut expected = expected.to_vec();
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
}
