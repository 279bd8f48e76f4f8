use api::book::AmendBook;
use api::consents::GiveConsent;
use api::registration::ConfirmRegistration;
use axum::routing::{post, put};
use axum::{Extension, Router};
use domain::ids::OrderId;
use edge::{Blob, BodyLimit, IdempotencyKey, IfMatch, Json, Path};
use http::Request;

use crate::{Answer, ask, shelled};

fn router() -> Router {
    shelled(
        Router::new()
            .route("/confirm", post(async |Json(_): Json<ConfirmRegistration>| "read"))
            .route("/amend", post(async |Json(_): Json<AmendBook>| "read"))
            .route("/maybe", put(async |body: Option<Json<GiveConsent>>| Json(body.is_some())))
            .route("/orders/{id}", post(async |Path(_): Path<OrderId>, _: IdempotencyKey| "read"))
            .route("/book", put(async |IfMatch(version): IfMatch| Json(version)))
            .route("/blob", put(async |Blob(bytes): Blob| Json(bytes.len())).layer(Extension(BodyLimit(8)))),
    )
}

async fn post_json(path: &str, body: impl Into<axum::body::Body>) -> Answer {
    ask(&router(), Request::post(path).header("content-type", "application/json; charset=utf-8"), body).await
}

#[tokio::test]
async fn a_body_that_is_not_json_is_malformed() {
    for body in ["", "{", "{} {}", "{\"code\":}", "\u{feff}{}", "{\"code\":\"\\ud800\"}"] {
        let answer = post_json("/confirm", body).await;
        assert_eq!((answer.status, answer.code()), (400, "request/malformed"), "{body}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(post_json("/confirm", deep).await.status, 400);
    assert_eq!(post_json("/confirm", vec![0xff, 0xfe]).await.status, 400);
}

#[tokio::test]
async fn a_body_that_does_not_fit_names_the_field_and_no_value() {
    for (body, field) in [
        (r#"{"code":"1","extra":1}"#, "extra"),
        (r#"{}"#, "code"),
        (r#"{"code":13800000001}"#, "code"),
        (r#"{"code":"1","code":"2"}"#, "code"),
        (r#"{"code":"1","consents":["13800000001"]}"#, "consents[0]"),
        (r#"[]"#, "body"),
        (r#"["1",null,[]]"#, "body"),
        (r#""13800000001""#, "body"),
    ] {
        let answer = post_json("/confirm", body).await;
        assert_eq!((answer.status, answer.code()), (422, "request/invalid"), "{body}");
        assert_eq!(answer.field(), field, "{body}: {}", answer.json);
        assert!(!answer.json.to_string().contains("138"), "{}", answer.json);
    }
    let answer = post_json("/amend", r#"{"add":["+8613800000001",13800000001]}"#).await;
    assert_eq!(answer.field(), "add[1]");
    assert!(!answer.json.to_string().contains("138"), "{}", answer.json);
}

#[tokio::test]
async fn another_media_type_is_refused() {
    let answer = ask(&router(), Request::post("/confirm"), "{}").await;
    assert_eq!((answer.status, answer.code()), (415, "request/unsupported-media"));
}

#[tokio::test]
async fn too_much_is_too_large_with_and_without_a_declared_length() {
    let body = format!("{{\"code\":\"{}\"}}", "x".repeat(2 << 20));
    let answer = post_json("/confirm", body.clone()).await;
    assert_eq!((answer.status, answer.code()), (413, "request/too-large"));
    let pieces = futures::stream::iter([Ok::<_, std::io::Error>(body.clone()), Ok(body)]);
    let answer = post_json("/confirm", axum::body::Body::from_stream(pieces)).await;
    assert_eq!((answer.status, answer.code()), (413, "request/too-large"));
}

#[tokio::test]
async fn a_route_can_have_its_own_limit() {
    assert_eq!(ask(&router(), Request::put("/blob"), "12345678").await.json, 8);
    assert_eq!(ask(&router(), Request::put("/blob"), "123456789").await.status, 413);
    let request = Request::put("/blob").header("content-type", "text/html");
    assert_eq!(ask(&router(), request, "1").await.status, 415);
}

#[tokio::test]
async fn a_body_can_be_left_out_where_it_may() {
    assert_eq!(ask(&router(), Request::put("/maybe"), "").await.json, false);
    let request = || Request::put("/maybe").header("content-type", "application/json");
    assert_eq!(ask(&router(), request(), "{}").await.json, true);
    assert_eq!(ask(&router(), request(), "{\"x\":1}").await.status, 422);
    assert_eq!(ask(&router(), Request::put("/maybe"), "{}").await.status, 415);
}

#[tokio::test]
async fn an_id_that_is_none_is_not_found() {
    let request = Request::post("/orders/nonsense").header("idempotency-key", "k");
    assert_eq!(ask(&router(), request, "").await.code(), "not-found");
    let request = Request::post("/orders/%ff").header("idempotency-key", "k");
    assert_eq!(ask(&router(), request, "").await.code(), "not-found");
}

#[tokio::test]
async fn an_idempotency_key_is_1_to_255_visible_characters() {
    let path = "/orders/01890000-0000-7000-8000-000000000000";
    assert_eq!(ask(&router(), Request::post(path), "").await.code(), "idempotency/key-missing");
    let long = "k".repeat(256);
    for bad in ["", "a b", "\t", "é", &long] {
        let answer = ask(&router(), Request::post(path).header("idempotency-key", bad), "").await;
        assert_eq!((answer.status, answer.code()), (400, "idempotency/key-invalid"), "{bad}");
    }
    let twice = Request::post(path).header("idempotency-key", "a").header("idempotency-key", "a");
    assert_eq!(ask(&router(), twice, "").await.code(), "idempotency/key-invalid");
    let good = Request::post(path).header("idempotency-key", "k".repeat(255));
    assert_eq!(ask(&router(), good, "").await.status, 200);
}

#[tokio::test]
async fn a_version_is_read_with_and_without_quotes_and_a_foreign_tag_fits_nothing() {
    for (header, version) in
        [("\"7\"", Some(7)), ("7", Some(7)), ("*", None), ("\"abc\"", Some(-1)), ("W/\"7\"", Some(-1))]
    {
        let answer = ask(&router(), Request::put("/book").header("if-match", header), "").await;
        assert_eq!(answer.json.as_i64(), version, "{header}");
    }
    assert!(ask(&router(), Request::put("/book"), "").await.json.is_null());
    assert!(IfMatch(None).fits(3) && IfMatch(Some(3)).fits(3) && !IfMatch(Some(-1)).fits(3));
    assert_eq!(edge::etag(7), "\"7\"");
}

#[tokio::test]
async fn a_blob_of_nothing_is_refused_rather_than_kept() {
    let answer =
        ask(&router(), Request::put("/blob").header("content-type", "application/octet-stream"), "").await;
    assert_eq!((answer.status, answer.code(), answer.field()), (422, "request/invalid", "body"));
}

#[tokio::test]
async fn a_zero_byte_is_refused_in_a_body_and_in_an_address_and_what_only_looks_like_one_is_not() {
    for body in [r#"{"code":"\u0000"}"#, r#"{"code":"1\\\u00001"}"#, r#"{"\u0000":1,"code":"1"}"#] {
        let answer = post_json("/confirm", body).await;
        assert_eq!((answer.status, answer.code()), (422, "request/invalid"), "{body}");
    }
    for body in [r#"{"code":"\\u0000"}"#, r#"{"code":"\u00001"#, r#"{"code":"\u0001"}"#] {
        let answer = post_json("/confirm", body).await;
        let whole = body.ends_with('}');
        assert_eq!(answer.status, if whole { 200 } else { 400 }, "{body}");
    }
    for path in ["/confirm?a=%00", "/orders/%00"] {
        assert_eq!(post_json(path, "{}").await.code(), "request/malformed", "{path}");
    }
}
