use api::feed::FeedFilter;
use api::orders::OrderWait;
use axum::Router;
use axum::routing::get;
use edge::{Json, Listing, Paging, Problem, Query};
use http::Request;
use serde_json::json;

use crate::{ask, shelled};

/// A list of the numbers 0 to 249.
async fn numbers(paging: Paging) -> Result<Json<api::Page<u32>>, Problem> {
    let first = paging.after::<u32>()?.map_or(0, |last| last + 1);
    let rows = (first..250).take(paging.fetch()).collect();
    Ok(Json(paging.page(rows, |last| *last)))
}

fn router() -> Router {
    shelled(
        Router::new()
            .route("/numbers", get(numbers))
            .route(
                "/feed",
                get(async |list: Listing<FeedFilter>| Json(json!([list.filter, list.paging.limit]))),
            )
            .route("/order", get(async |Query(query): Query<OrderWait>| Json(query.wait_s))),
    )
}

#[tokio::test]
async fn a_list_is_walked_page_by_page_and_each_item_comes_once() {
    let router = router();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = ask(&router, Request::get(format!("/numbers?limit=60{cursor}")), "").await;
        seen.extend(answer.json["items"].as_array().unwrap().iter().map(|item| item.as_u64().unwrap()));
        match answer.json["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (0..250).collect::<Vec<_>>());
    let answer = ask(&router, Request::get("/numbers"), "").await;
    assert_eq!(answer.json["items"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_query_that_does_not_fit_is_400_and_names_the_key() {
    for (path, key) in [
        ("/numbers?limit=0", "limit"),
        ("/numbers?limit=501", "limit"),
        ("/numbers?limit=ten", "limit"),
        ("/numbers?limit=-1", "limit"),
        ("/numbers?limit=1&limit=2", "limit"),
        ("/numbers?cursor=nonsense!", "cursor"),
        ("/numbers?cursor=bnVsbCA", "cursor"),
        ("/numbers?offset=1", "offset"),
        ("/feed?freind=1", "freind"),
        ("/feed?friend=1&friend=2", "friend"),
        ("/order?wait_s=soon", "wait_s"),
        ("/order?wait_s=-1", "wait_s"),
        ("/order?wait_s=99999999999", "wait_s"),
        ("/order?wait=1", "wait"),
    ] {
        let answer = ask(&router(), Request::get(path), "").await;
        assert_eq!((answer.status, answer.code(), answer.field()), (400, "request/malformed", key), "{path}");
    }
}

#[tokio::test]
async fn filters_and_paging_stand_side_by_side() {
    let answer =
        ask(&router(), Request::get("/feed?friend=%2B8613800000001&limit=7&offering=crbt"), "").await;
    assert_eq!(answer.json, json!([{"friend": "+8613800000001", "offering": "crbt"}, 7]));
    assert_eq!(ask(&router(), Request::get("/order?wait_s=5"), "").await.json, 5);
    assert_eq!(ask(&router(), Request::get("/order"), "").await.json, 0);
}
