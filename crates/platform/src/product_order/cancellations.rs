//! GET cancelProductOrder and cancelProductOrder/{id}.

use axum::extract::State;
use axum::response::Response;
use tmf::query::resources::CANCEL_PRODUCT_ORDER;

use crate::Platform;
use crate::lists::{Id, Page, Pairs, one, read_fields, read_query};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn list(State(platform): State<Platform>, pairs: Pairs) -> Result<Page, Refusal> {
    let query = read_query(pairs, &CANCEL_PRODUCT_ORDER)?;
    let read = platform.store.read(move |view| {
        let mut platform = view.platform();
        Page::fetch(&query, |offset, limit| {
            let (rows, total) = platform.list_cancellations(offset, limit)?;
            Ok((rows.iter().map(wire::cancellation).collect(), total))
        })
    });
    read.await
}

pub(crate) async fn show(
    State(platform): State<Platform>,
    id: Id,
    pairs: Pairs,
) -> Result<Response, Refusal> {
    let fields = read_fields(pairs)?;
    // The id is read as the order ids are: both are UUIDs.
    let id: domain::ids::ProductOrderId = id.read()?;
    let task = platform.store.read(move |view| view.platform().find_cancellation(id.0)).await?;
    let task = task.ok_or_else(Refusal::not_found)?;
    Ok(one(&wire::cancellation(&task), fields.as_deref()))
}
