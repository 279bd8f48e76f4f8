//! `GET /v1/book`

use api::book::BookStatus;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use edge::{Caller, NoQuery, Problem};

use super::etag;
use crate::Contacts;
use crate::problem::Refused;

/// Tells the book's version and size; the numbers cannot be read back, only keys are kept.
#[utoipa::path(get, path = "/v1/book", operation_id = "showBook", security(("token" = [])),
    responses((status = 200, body = BookStatus, headers(("ETag" = String, description = "The version now.")))))]
pub async fn show(
    State(contacts): State<Contacts>,
    caller: Caller,
    _: NoQuery,
) -> Result<impl IntoResponse, Problem> {
    let read = contacts.store.read::<_, Refused, _>(move |view| Ok(view.contacts().find_book(caller.key)?));
    let book = read.await.map_err(Problem::from)?;
    let size = i64::try_from(book.size).unwrap_or(i64::MAX);
    Ok((etag(book.version), Json(BookStatus { version: book.version, size })))
}
