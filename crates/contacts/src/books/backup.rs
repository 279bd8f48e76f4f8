//! `PUT, GET /v1/book/backup`: a blob that only the person's own terminals can open.

use api::book::BACKUP_MEDIA_TYPE;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use edge::{Blob, Caller, Problem};

use crate::Contacts;
use crate::problem::{Refused, still_signed_in};

/// Keeps the address book as a blob that was encrypted on the terminal.
#[utoipa::path(put, path = "/v1/book/backup", operation_id = "putBackup", security(("token" = [])),
    request_body(content = inline(api::schema::Blob), content_type = "application/octet-stream"),
    responses((status = 204)))]
pub async fn put(
    State(contacts): State<Contacts>,
    caller: Caller,
    Blob(blob): Blob,
) -> Result<StatusCode, Problem> {
    let blob = blob.to_vec();
    let write = contacts.store.write::<_, Refused, _>(move |tx| {
        still_signed_in(tx, &caller)?;
        Ok(tx.contacts().put_backup(caller.key, &blob)?)
    });
    write.await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives the blob back, byte for byte.
#[utoipa::path(get, path = "/v1/book/backup", operation_id = "loadBackup", security(("token" = [])),
    responses((status = 200, body = inline(api::schema::Blob), content_type = "application/octet-stream"),
        (status = 404, description = "There is no backup")))]
pub async fn load(State(contacts): State<Contacts>, caller: Caller) -> Result<impl IntoResponse, Problem> {
    let read =
        contacts.store.read::<_, Refused, _>(move |view| Ok(view.contacts().find_backup(caller.key)?));
    let blob = read.await.map_err(Problem::from)?.ok_or_else(Problem::not_found)?;
    Ok(([(CONTENT_TYPE, BACKUP_MEDIA_TYPE)], blob))
}
