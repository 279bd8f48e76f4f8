//! The contract's own client against the glue over a real socket.

use api::Code;
use api::book::{BookStatus, ReplaceBook};
use api::client::{Client, ClientError};
use axum::Router;
use axum::routing::get;
use edge::{Caller, Json, Path};

use crate::shelled;

async fn client() -> Client {
    let router = Router::new()
        .route(
            "/v1/book",
            get(async || Json(BookStatus { version: 1, size: 2 })).put(async |_: Json<ReplaceBook>| ""),
        )
        .route("/v1/book/backup", axum::routing::put(async |_: Caller, _: edge::Blob| ""))
        .route("/v1/hidden/{number}", axum::routing::put(async |Path(number): Path<String>| Json(number)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, shelled(router)).await });
    Client::new(&url).unwrap()
}

fn refused(error: ClientError, code: Code) {
    assert_eq!(error.code(), Some(code), "{error}");
    let ClientError::Problem { problem, .. } = error else { return };
    assert!(uuid::Uuid::parse_str(&problem.request_id).is_ok());
}

#[tokio::test]
async fn the_client_reads_answers_and_problems() {
    let client = client().await;
    assert_eq!(client.book().await.unwrap(), BookStatus { version: 1, size: 2 });
    client.hide("+86 138/0000").await.unwrap();
    refused(client.me().await.unwrap_err(), Code::NotFound);
    refused(client.forget_book().await.unwrap_err(), Code::MethodNotAllowed);
}

#[tokio::test]
async fn an_oversized_upload_hears_why_it_is_refused() {
    let client = client().await;
    let body = ReplaceBook { numbers: vec!["+8613800000001".to_owned(); 600_000], confirm_shrink: false };
    refused(client.replace_book(&body, None).await.unwrap_err(), Code::RequestTooLarge);
    // Refused before its body is looked at.
    refused(client.put_backup(vec![0; 12 << 20].into(), None).await.unwrap_err(), Code::AuthMissing);
    assert!(client.book().await.is_ok());
}
