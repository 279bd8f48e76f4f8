//! GET productOrder/{id}.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::ids::ProductOrderId;

use crate::Platform;
use crate::lists::{Pairs, one, read_fields};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn show(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    pairs: Pairs,
) -> Result<Response, Refusal> {
    let fields = read_fields(pairs)?;
    let id: ProductOrderId = id.parse().map_err(|_| Refusal::not_found())?;
    let order = platform.store.read(move |view| view.platform().find_order(id)).await?;
    let order = order.ok_or_else(Refusal::not_found)?;
    Ok(one(&wire::order(&order), fields.as_deref()))
}
