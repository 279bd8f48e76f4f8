//! `DELETE /v1/book`

use axum::extract::State;
use axum::http::StatusCode;
use edge::{Caller, Problem};

use crate::Contacts;
use crate::problem::Refused;

/// Deletes the book and ends every match that rests on it.
#[utoipa::path(delete, path = "/v1/book", operation_id = "forgetBook", security(("token" = [])),
    responses((status = 204)))]
pub async fn forget(State(contacts): State<Contacts>, caller: Caller) -> Result<StatusCode, Problem> {
    let write = contacts.store.write::<_, Refused, _>(move |tx| Ok(tx.contacts().forget_book(caller.key)?));
    write.await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}
