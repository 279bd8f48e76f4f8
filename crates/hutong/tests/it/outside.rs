//! The servers' other faces: the contract, health, metrics, the end.

use reqwest::Method;
use serde_json::Value;

use crate::house::{House, http};

/// A request, and the refusal it should meet: method, path, body, headers, status, code.
type Case<'a> = (Method, &'a str, &'a str, &'a [(&'a str, &'a str)], u16, &'a str);

/// The calls of the subscriber interface that exist: a method and a path.
const CALLS: [(&str, &str); 33] = [
    ("post", "/v1/registrations"),
    ("post", "/v1/registrations/{id}/confirm"),
    ("get", "/v1/me"),
    ("delete", "/v1/me"),
    ("get", "/v1/me/export"),
    ("get", "/v1/me/sessions"),
    ("delete", "/v1/me/sessions"),
    ("delete", "/v1/me/sessions/{id}"),
    ("delete", "/v1/session"),
    ("put", "/v1/book"),
    ("patch", "/v1/book"),
    ("get", "/v1/book"),
    ("delete", "/v1/book"),
    ("put", "/v1/book/backup"),
    ("get", "/v1/book/backup"),
    ("get", "/v1/matches"),
    ("get", "/v1/subscriptions"),
    ("delete", "/v1/subscriptions/{id}"),
    ("put", "/v1/subscriptions/{id}/share"),
    ("delete", "/v1/subscriptions/{id}/share"),
    ("get", "/v1/feed"),
    ("get", "/v1/friends/{number}/shares"),
    ("post", "/v1/orders"),
    ("get", "/v1/orders"),
    ("get", "/v1/orders/{id}"),
    ("post", "/v1/orders/{id}/cancel"),
    ("put", "/v1/consents/{consent}"),
    ("delete", "/v1/consents/{consent}"),
    ("put", "/v1/hidden/{number}"),
    ("delete", "/v1/hidden/{number}"),
    ("get", "/v1/events"),
    ("get", "/openapi.json"),
    ("get", "/v1/feed"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_openapi_document_describes_exactly_the_routes_that_answer() {
    let house = House::start().await;
    let text = http().get(format!("{}/openapi.json", house.api)).send().await.unwrap().text().await.unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut described = std::collections::BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            described.insert((method.clone(), path.clone()));
        }
    }
    let wanted: std::collections::BTreeSet<_> = CALLS
        .iter()
        .filter(|(_, path)| path.starts_with("/v1"))
        .map(|(m, p)| ((*m).to_owned(), (*p).to_owned()))
        .collect();
    assert_eq!(described, wanted);
    let id = "00000000-0000-7000-8000-000000000000";
    for (method, path) in &described {
        let url =
            path.replace("{id}", id).replace("{number}", "%2B8613800138001").replace("{consent}", "upload");
        let method = method.to_uppercase().parse::<Method>().unwrap();
        let answer = http().request(method.clone(), format!("{}{url}", house.api)).send().await.unwrap();
        // Without a token a route that is there asks for one; the two of registering ask for a body.
        let expected = if path.starts_with("/v1/registrations") { 415 } else { 401 };
        assert_eq!(answer.status().as_u16(), expected, "{method} {path}");
    }
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_with_a_stable_code_and_a_sentence() {
    let house = House::start().await;
    let zhang = house.person("+8613800138001").await;
    let send = async |method: Method, path: &str, body: &str, headers: &[(&str, &str)]| -> (u16, String) {
        let mut request = http().request(method, format!("{}{path}", house.api)).bearer_auth(zhang.token());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(problem["detail"].as_str().is_some_and(|text| text.ends_with('.')), "{problem}");
        assert!(problem["request_id"].is_string() && problem["title"].is_string(), "{problem}");
        (status, problem["code"].as_str().unwrap().to_owned())
    };
    let huge = format!("{{\"numbers\":[\"{}\"]}}", "1".repeat(2 << 20));
    let cases: [Case<'_>; 13] = [
        (Method::PUT, "/v1/book", "{", &[], 400, "request/malformed"),
        (Method::PUT, "/v1/book", "{\"numbers\":7}", &[], 422, "request/invalid"),
        (Method::PUT, "/v1/book", "{\"numbers\":[],\"extra\":1}", &[], 422, "request/invalid"),
        (Method::PUT, "/v1/book", &huge, &[], 413, "request/too-large"),
        (Method::PUT, "/v1/book", "{\"numbers\":[]}", &[("if-match", "\"9\"")], 412, "book/version-conflict"),
        (Method::POST, "/v1/orders", "{\"share_id\":\"x\"}", &[], 400, "idempotency/key-missing"),
        (Method::POST, "/v1/orders", "{\"share_id\":\"x\"}", &[("idempotency-key", "k")], 404, "not-found"),
        (Method::GET, "/v1/feed?colour=red", "", &[], 400, "request/malformed"),
        (Method::GET, "/v1/matches?cursor=%00", "", &[], 400, "request/malformed"),
        (Method::GET, "/v1/orders/not-an-id", "", &[], 404, "not-found"),
        (Method::GET, "/v1/nothing", "", &[], 404, "not-found"),
        (Method::POST, "/v1/me", "", &[], 405, "method-not-allowed"),
        (
            Method::POST,
            "/v1/registrations",
            "{\"number\":\"10086\"}",
            &[],
            422,
            "registration/number-unreadable",
        ),
    ];
    for (method, path, body, headers, status, code) in cases {
        let shown = format!("{method} {path} {}", body.chars().take(40).collect::<String>());
        assert_eq!(send(method, path, body, headers).await, (status, code.to_owned()), "{shown}");
    }
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_are_told_on_a_listener_of_their_own() {
    let house = House::start().await;
    for (path, word) in [("/livez", "alive"), ("/readyz", "store: ok"), ("/metrics", "build_info")] {
        let answer = http().get(format!("{}{path}", house.metrics)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.text().await.unwrap().contains(word), "{path}");
    }
    assert_eq!(http().get(format!("{}/metrics", house.api)).send().await.unwrap().status(), 404);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_to_end_finishes_what_is_in_flight_and_ends_well() {
    let mut house = House::start().await;
    let (waiting, stream) = {
        let (li, zhang) = house.friends().await;
        li.share("crbt").await;
        let order = zhang.tap("crbt", "tap").await;
        let order = zhang.wait(&order, domain::order::Progress::AwaitingConfirmation).await;
        let client = zhang.client.clone();
        // One request that waits for a change, and one stream that would never end by itself.
        let waiting = tokio::spawn(async move { client.order(order.id, 2).await });
        (waiting, zhang.client.events(None).await.unwrap())
    };
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(house.terminate());
    let order = waiting.await.unwrap().unwrap();
    assert_eq!(order.state, domain::order::Progress::AwaitingConfirmation, "the request was answered");
    drop(stream);
}
