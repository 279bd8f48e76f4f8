//! POST cancelProductOrder: the customer takes a pending order back.

use axum::extract::State;
use axum::response::Response;
use domain::ids::ProductOrderId;
use edge::operator::Operator;
use tmf::CancelProductOrderCreate;

use crate::Platform;
use crate::auth::actor;
use crate::desk::Desk;
use crate::lists::{Body, created};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn cancel(
    State(platform): State<Platform>,
    operator: Operator,
    Body(request): Body<CancelProductOrderCreate>,
) -> Result<Response, Refusal> {
    // The document declares no 404 here: an order that is not there is a fault of the body.
    let unknown = || Refusal::body("productOrder.id names no order");
    let id: ProductOrderId = request.product_order.id.parse().map_err(|_| unknown())?;
    let store = platform.store.clone();
    let actor = actor(&operator);
    let why = request.cancellation_reason;
    let task = store
        .write(move |tx| {
            Desk::new(tx, &platform).acting_for(Some(actor.clone())).take_back(id, why.as_deref())
        })
        .await?;
    let task = wire::cancellation(&task.ok_or_else(unknown)?);
    Ok(created(&task, task.href.as_deref().unwrap_or_default()))
}
