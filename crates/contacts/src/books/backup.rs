//! `PUT, GET /v1/book/backup`: a blob that only the person's own terminals can open.

use api::Code;
use api::book::BACKUP_MEDIA_TYPE;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use edge::{Blob, Caller, IfMatch, Problem};

use super::etag;
use crate::Contacts;
use crate::problem::{Refused, still_signed_in};

/// Keeps the address book as a blob that was encrypted on the terminal; with `If-Match` only in place of
/// that version, 0 being none.
#[utoipa::path(put, path = "/v1/book/backup", operation_id = "putBackup", security(("token" = [])),
    request_body(content = inline(api::schema::Blob), content_type = "application/octet-stream"),
    params(("If-Match" = Option<String>, Header, description = "The version that this replaces.")),
    responses((status = 204, headers(("ETag" = String, description = "The version now."))),
        (status = 412, description = "The backup has changed meanwhile")))]
pub async fn put(
    State(contacts): State<Contacts>,
    caller: Caller,
    if_match: IfMatch,
    Blob(blob): Blob,
) -> Result<impl IntoResponse, Problem> {
    let blob = blob.to_vec();
    let write = contacts.store.write::<_, Refused, _>(move |tx| {
        still_signed_in(tx, &caller)?;
        let version = tx.contacts().backup_version(caller.key)?;
        if !if_match.fits(version) {
            let detail =
                format!("The backup is at version {version} now. Read it, and decide which one to keep.");
            return Err(Problem::new(Code::BookVersionConflict, detail).into());
        }
        Ok(tx.contacts().put_backup(caller.key, &blob)?)
    });
    let version = write.await.map_err(Problem::from)?;
    Ok((StatusCode::NO_CONTENT, etag(version)))
}

/// Gives the blob back, byte for byte.
#[utoipa::path(get, path = "/v1/book/backup", operation_id = "loadBackup", security(("token" = [])),
    responses((status = 200, body = inline(api::schema::Blob), content_type = "application/octet-stream",
            headers(("ETag" = String, description = "The version."))),
        (status = 404, description = "There is no backup")))]
pub async fn load(State(contacts): State<Contacts>, caller: Caller) -> Result<impl IntoResponse, Problem> {
    let read =
        contacts.store.read::<_, Refused, _>(move |view| Ok(view.contacts().find_backup(caller.key)?));
    let (version, blob) = read.await.map_err(Problem::from)?.ok_or_else(Problem::not_found)?;
    Ok((etag(version), [(CONTENT_TYPE, BACKUP_MEDIA_TYPE)], blob))
}
