use api::Code;
use axum::Router;
use axum::routing::get;
use edge::Problem;
use http::Request;

use crate::{ask, shelled};

#[allow(clippy::panic, reason = "the panic is what is tested")]
fn router() -> Router {
    shelled(
        Router::new()
            .route("/fine/{number}", get(async || "fine"))
            .route("/panics", get(async || -> String { panic!("on purpose") }))
            .route("/slow", get(async || futures::future::pending::<String>().await))
            .route("/fails", get(async || -> Result<String, Problem> { Err(Problem::internal("disk full")) }))
            .route(
                "/busy",
                get(async || Problem::new(Code::StoreUnavailable, "Try again.").retry_after_s(3)),
            ),
    )
}

#[tokio::test]
async fn every_answer_has_an_id_of_the_servers_own() {
    let router = router();
    let request = Request::get("/fine/1").header("x-request-id", "mine");
    let first = ask(&router, request, "").await;
    let second = ask(&router, Request::get("/nowhere"), "").await;
    let ids = [first.header("x-request-id"), second.header("x-request-id")];
    assert!(ids.iter().all(|id| uuid::Uuid::parse_str(id).is_ok()), "{ids:?}");
    assert_ne!(ids[0], ids[1]);
    assert_eq!(second.json["request_id"], ids[1]);
}

#[tokio::test]
async fn a_panic_is_a_problem_that_tells_nothing() {
    let answer = ask(&router(), Request::get("/panics"), "").await;
    assert_eq!((answer.status, answer.code()), (500, "internal"));
    assert!(!answer.json.to_string().contains("on purpose"));
}

#[tokio::test]
async fn the_cause_of_a_failure_stays_inside() {
    let answer = ask(&router(), Request::get("/fails"), "").await;
    assert_eq!((answer.status, answer.code()), (500, "internal"));
    assert!(!answer.json.to_string().contains("disk"));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_ends_is_answered() {
    let answer = ask(&router(), Request::get("/slow"), "").await;
    assert_eq!((answer.status, answer.code()), (503, "request/timeout"));
    assert_ne!(answer.header("retry-after"), "");
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let answer = ask(&router(), Request::get("/nowhere"), "").await;
    assert_eq!((answer.status, answer.code()), (404, "not-found"));
    let answer = ask(&router(), Request::put("/fine/1"), "").await;
    assert_eq!((answer.status, answer.code()), (405, "method-not-allowed"));
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn a_problem_has_all_its_members_and_its_headers() {
    let answer = ask(&router(), Request::get("/busy"), "").await;
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("retry-after"), "3");
    assert_eq!(answer.json["type"], "/errors/store-unavailable");
    assert_eq!(answer.json["status"], 503);
    assert_eq!(answer.json["title"], "The server cannot reach its store");
    assert_eq!(answer.json["detail"], "Try again.");
    assert!(answer.json.get("instance").is_none() && answer.json.get("fields").is_none());
}
