//! GET productOrder/{id}.

use axum::extract::State;
use axum::response::Response;
use domain::ids::ProductOrderId;
use store::StoreError;
use store::platform::{OrderRow, PlatformView};

use crate::Platform;
use crate::lists::{Id, Pairs, one, read_fields};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn show(
    State(platform): State<Platform>,
    id: Id,
    pairs: Pairs,
) -> Result<Response, Refusal> {
    let fields = read_fields(pairs)?;
    let id: ProductOrderId = id.read()?;
    let order = platform.store.read(move |view| find(&mut view.platform(), id)).await?;
    let order = order.ok_or_else(Refusal::not_found)?;
    Ok(one(&wire::order(&order), fields.as_deref()))
}

/// An order that the faces show.
pub(super) fn find(
    platform: &mut PlatformView<'_>,
    id: ProductOrderId,
) -> Result<Option<OrderRow>, StoreError> {
    let order = platform.find_order(id)?;
    if order.is_some() && platform.is_withdrawn(id.0)? { Ok(None) } else { Ok(order) }
}
