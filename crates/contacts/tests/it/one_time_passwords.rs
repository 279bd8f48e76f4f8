//! Codes that the operator's clients have sent: the same codes, the same limits, and nobody is signed in by them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::bench::{Answer, Bench, HOME, number};

const CLIENT: &str = "a-client-of-the-operators";
const READER: &str = "reads-orders-alone-here";

async fn call(bench: &Bench, call: &str, body: Value, token: Option<&str>) -> Answer {
    bench.call("POST", &format!("/one-time-password-sms/v1/{call}"), Some(body), HOME, token).await
}

async fn send(bench: &Bench, number: &str) -> Answer {
    let body = json!({"phoneNumber": number, "message": "{{code}} is your code for the shop"});
    call(bench, "send-code", body, Some(CLIENT)).await
}

async fn validate(bench: &Bench, id: &str, code: &str) -> (u16, Value) {
    let answer =
        call(bench, "validate-code", json!({"authenticationId": id, "code": code}), Some(CLIENT)).await;
    if answer.status != StatusCode::NO_CONTENT {
        assert_eq!(answer.body["status"], answer.status.as_u16());
        assert!(answer.body["message"].is_string());
    }
    (answer.status.as_u16(), answer.body["code"].clone())
}

fn id_of(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body["authenticationId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_number_is_proven_once_by_the_code_in_the_clients_own_words() {
    let bench = Bench::new();
    let id = id_of(&send(&bench, &number(1)).await);
    let texts = bench.texts().await;
    let [(to, body)] = texts.as_slice() else { panic!("one text") };
    let (code, rest) = body.split_at(6);
    assert_eq!((to.as_str(), rest), (number(1).as_str(), " is your code for the shop"));
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(validate(&bench, &id, wrong).await, (400, json!("ONE_TIME_PASSWORD_SMS.INVALID_OTP")));
    assert_eq!(validate(&bench, &id, code).await, (204, Value::Null));
    assert_eq!(validate(&bench, &id, code).await, (404, json!("NOT_FOUND")));
    assert_eq!(validate(&bench, "no-such-id", code).await, (404, json!("NOT_FOUND")));
}

#[tokio::test]
async fn a_code_of_one_face_is_none_at_the_other() {
    let bench = Bench::new();
    let id = id_of(&send(&bench, &number(1)).await);
    let code = bench.code_for(&number(1)).await;
    for code in [code.clone(), format!("\0{code}")] {
        assert!(bench.confirm(&id, &code, HOME).await.status.is_client_error());
    }
    assert_eq!(validate(&bench, &id, &code).await.0, 204);
    bench.advance_s(60);
    let id = bench.begin(&number(2), HOME).await.registration();
    let code = bench.code_for(&number(2)).await;
    assert_eq!(validate(&bench, &id, &code).await.0, 400);
    assert_eq!(bench.confirm(&id, &code, HOME).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn the_limits_of_signing_in_hold_for_a_number_whoever_asks() {
    let bench = Bench::new();
    let id = id_of(&send(&bench, &number(1)).await);
    let again = send(&bench, &number(1)).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert_eq!(again.body["code"], "ONE_TIME_PASSWORD_SMS.MAX_OTP_CODES_EXCEEDED");
    assert_eq!(again.retry_after_s, Some(60));
    assert_eq!(bench.begin(&number(1), HOME).await.status, StatusCode::TOO_MANY_REQUESTS);
    // Many people ask through one client: it is not counted by where it stands.
    for n in 2..70 {
        id_of(&send(&bench, &number(n)).await);
    }
    let code = bench.code_for(&number(1)).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..4 {
        assert_eq!(validate(&bench, &id, wrong).await.1, "ONE_TIME_PASSWORD_SMS.INVALID_OTP");
    }
    for code in [wrong, &code] {
        assert_eq!(validate(&bench, &id, code).await.1, "ONE_TIME_PASSWORD_SMS.VERIFICATION_FAILED");
    }
    bench.advance_s(301);
    let old = id_of(&send(&bench, &number(1)).await);
    let code = bench.code_for(&number(1)).await;
    bench.advance_s(301);
    assert_eq!(validate(&bench, &old, &code).await.1, "ONE_TIME_PASSWORD_SMS.VERIFICATION_EXPIRED");
}

#[tokio::test]
async fn what_the_document_does_not_allow_is_refused_in_its_words() {
    let bench = Bench::new();
    let good = json!({"phoneNumber": number(1), "message": "{{code}}"});
    for (token, status, code) in [
        (None, 401, "UNAUTHENTICATED"),
        (Some("a-wrong-token-of-somebody"), 401, "UNAUTHENTICATED"),
        (Some(READER), 403, "PERMISSION_DENIED"),
    ] {
        for path in ["send-code", "validate-code"] {
            let answer = call(&bench, path, good.clone(), token).await;
            assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &json!(code)));
        }
    }
    let long = "x".repeat(160);
    for body in [
        json!({}),
        json!([]),
        json!({"phoneNumber": number(1), "message": "no label"}),
        json!({"phoneNumber": number(1), "message": format!("{{{{code}}}}{long}")}),
        json!({"phoneNumber": "13800000001", "message": "{{code}}"}),
        json!({"phoneNumber": 7, "message": "{{code}}"}),
        json!({"phoneNumber": number(1), "message": "{{code}}\0"}),
    ] {
        let answer = call(&bench, "send-code", body.clone(), Some(CLIENT)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["code"]),
            (400, &json!("INVALID_ARGUMENT")),
            "{body}"
        );
    }
    let abroad = json!({"phoneNumber": "+447400123456", "message": "{{code}}"});
    let answer = call(&bench, "send-code", abroad, Some(CLIENT)).await;
    assert_eq!(answer.body["code"], "ONE_TIME_PASSWORD_SMS.PHONE_NUMBER_NOT_ALLOWED");
    assert!(bench.texts().await.is_empty());
}
