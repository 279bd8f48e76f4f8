//! GET cancelProductOrder and cancelProductOrder/{id}.

use axum::extract::{Path, State};
use axum::response::Response;

use crate::Platform;
use crate::lists::{Pairs, one, page, read_fields, read_query};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn list(State(platform): State<Platform>, pairs: Pairs) -> Result<Response, Refusal> {
    let query = read_query(pairs, &[])?;
    let (offset, limit) = (query.offset, query.limit);
    let read = platform.store.read(move |view| view.platform().list_cancellations(offset, limit));
    let (tasks, total) = read.await.map_err(|error: store::StoreError| Refusal::from(error))?;
    let tasks: Vec<_> = tasks.iter().map(wire::cancellation).collect();
    Ok(page(&tasks, total, &query))
}

pub(crate) async fn show(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    pairs: Pairs,
) -> Result<Response, Refusal> {
    let fields = read_fields(pairs)?;
    // The id is read as the order ids are: both are UUIDs.
    let id: domain::ids::ProductOrderId = id.parse().map_err(|_| Refusal::not_found())?;
    let task = platform.store.read(move |view| view.platform().find_cancellation(id.0)).await?;
    let task = task.ok_or_else(Refusal::not_found)?;
    Ok(one(&wire::cancellation(&task), fields.as_deref()))
}
