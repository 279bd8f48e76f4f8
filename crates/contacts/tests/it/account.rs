//! Consents, and devices that are signed out.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::bench::{Answer, Bench, HOME, number};

async fn call(bench: &Bench, method: &str, path: &str, body: Option<Value>, token: &str) -> Answer {
    bench.call(method, path, body, HOME, Some(token)).await
}

/// Two people who match.
async fn friends(bench: &Bench) -> (String, String) {
    let (one, two) = (bench.sign_in(&number(1)).await, bench.sign_in(&number(2)).await);
    for (token, friend) in [(&one, number(2)), (&two, number(1))] {
        call(bench, "PUT", "/v1/consents/upload", Some(json!({"version": "7"})), token).await;
        let put = call(bench, "PUT", "/v1/book", Some(json!({ "numbers": [friend] })), token).await;
        assert_eq!(put.status, StatusCode::OK);
    }
    (one, two)
}

async fn matches(bench: &Bench, token: &str) -> usize {
    call(bench, "GET", "/v1/matches", None, token).await.body["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_consent_to_upload_taken_back_takes_book_and_matches_with_it_at_once() {
    let bench = Bench::new();
    let (one, two) = friends(&bench).await;
    assert_eq!((matches(&bench, &one).await, matches(&bench, &two).await), (1, 1));
    let gone = call(&bench, "DELETE", "/v1/consents/upload", None, &one).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!((matches(&bench, &one).await, matches(&bench, &two).await), (0, 0));
    assert_eq!(call(&bench, "GET", "/v1/book", None, &one).await.body["size"], 0);
    let book = json!({ "numbers": [number(2)] });
    let refused = call(&bench, "PUT", "/v1/book", Some(book.clone()), &one).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "consent/upload-missing"));
    call(&bench, "PUT", "/v1/consents/upload", Some(json!({})), &one).await;
    assert_eq!(matches(&bench, &one).await, 0, "the book does not come back with the consent");
    call(&bench, "PUT", "/v1/book", Some(book), &one).await;
    assert_eq!((matches(&bench, &one).await, matches(&bench, &two).await), (1, 1));
}

#[tokio::test]
async fn consents_given_while_registering_are_there_once_each_with_their_version() {
    let bench = Bench::new();
    let id = bench.begin(&number(1), HOME).await.registration();
    let code = bench.code_for(&number(1)).await;
    let mut consents = vec![json!({"consent": "upload", "version": "6"}), json!("recommendations")];
    consents.extend((0..10).map(|_| json!({"consent": "upload", "version": 7})));
    let body = json!({ "code": code, "consents": consents });
    let path = format!("/v1/registrations/{id}/confirm");
    let token = bench.call("POST", &path, Some(body), HOME, None).await.body["token"].clone();
    let me = call(&bench, "GET", "/v1/me", None, token.as_str().unwrap()).await.body;
    let shown = me["consents"].as_array().unwrap();
    let shown: Vec<_> = shown.iter().map(|one| (one["consent"].clone(), one["version"].clone())).collect();
    assert_eq!(shown, [(json!("recommendations"), Value::Null), (json!("upload"), json!("7"))]);
}

#[tokio::test]
async fn what_no_store_keeps_in_a_text_is_refused_wherever_it_stands() {
    let bench = Bench::new();
    let token = bench.sign_in(&number(1)).await;
    let nul = "\u{0}";
    for (method, path, body) in [
        ("PUT", "/v1/consents/upload", json!({ "version": nul })),
        ("POST", "/v1/registrations", json!({ "number": number(2), "locale": nul })),
    ] {
        let refused = call(&bench, method, path, Some(body), &token).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "request/invalid"), "{path}");
    }
    for path in ["/v1/hidden/%00", "/v1/matches?cursor=%00", "/v1/me/sessions/%00"] {
        let refused =
            call(&bench, if path.contains('?') { "GET" } else { "DELETE" }, path, None, &token).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, "request/malformed"), "{path}");
    }
    let long = json!({ "version": "v".repeat(65) });
    let refused = call(&bench, "PUT", "/v1/consents/upload", Some(long), &token).await;
    assert_eq!(refused.status.as_u16(), 422);
}

#[tokio::test]
async fn an_odd_entry_is_named_by_its_place_and_does_not_refuse_the_book() {
    let bench = Bench::new();
    let token = bench.sign_in(&number(1)).await;
    call(&bench, "PUT", "/v1/consents/upload", Some(json!({})), &token).await;
    let book = json!({ "numbers": ["\u{0}", number(2), "1380\u{0}013"] });
    let put = call(&bench, "PUT", "/v1/book", Some(book), &token).await;
    assert_eq!((put.status, &put.body["size"]), (StatusCode::OK, &json!(1)));
    let places: Vec<_> =
        put.body["refused"].as_array().unwrap().iter().map(|one| one["index"].clone()).collect();
    assert_eq!(places, [0, 2]);
}

#[tokio::test]
async fn a_device_signs_out_itself_another_or_all_and_the_tokens_stop_counting_at_once() {
    let bench = Bench::new();
    let mut tokens = Vec::new();
    for _ in 0..4 {
        tokens.push(bench.sign_in(&number(1)).await);
        bench.advance_s(60);
    }
    let stranger = bench.sign_in(&number(2)).await;
    let [one, two, three, four] = &tokens[..] else { panic!("four") };
    let lives = async |token: &str| call(&bench, "GET", "/v1/me", None, token).await.status == StatusCode::OK;
    let sessions = call(&bench, "GET", "/v1/me/sessions", None, two).await.body["items"].clone();
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 4);
    let newest = sessions[0]["id"].as_str().unwrap();
    let end = format!("/v1/me/sessions/{newest}");
    assert_eq!(call(&bench, "DELETE", &end, None, &stranger).await.status, StatusCode::NOT_FOUND);
    assert!(lives(four).await, "nobody signs another out");
    assert_eq!(call(&bench, "DELETE", &end, None, one).await.status, StatusCode::NO_CONTENT);
    assert!(!lives(four).await && lives(one).await);
    assert_eq!(call(&bench, "DELETE", "/v1/session", None, one).await.status, StatusCode::NO_CONTENT);
    assert!(!lives(one).await && lives(two).await);
    assert_eq!(call(&bench, "DELETE", "/v1/me/sessions", None, two).await.status, StatusCode::NO_CONTENT);
    assert!(!lives(two).await && !lives(three).await && lives(&stranger).await);
    for token in &tokens {
        // 32 bytes in base64 without padding.
        assert_eq!(token.len(), 43);
    }
}

#[tokio::test]
async fn leaving_and_coming_back_opens_no_limiter() {
    let bench = Bench::new();
    let token = bench.sign_in(&number(1)).await;
    assert_eq!(call(&bench, "DELETE", "/v1/me", None, &token).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.begin(&number(1), HOME).await.refusal(), (429, "registration/too-many-texts", Some(60)));
}
