//! `DELETE /v1/subscriptions/{id}`

use api::subscriptions::Unsubscribing;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::{OrderId, SubscriptionId};
use domain::order::OrderAction;
use edge::{Caller, Path, Problem};
use serde_json::json;
use store::Tx;
use store::exchange::NewOrder;
use store::jobs::JobKind;

use crate::Exchange;
use crate::problem::{Refused, still_signed_in};

/// Orders the end of a subscription; the platform carries it out.
#[utoipa::path(delete, path = "/v1/subscriptions/{id}", operation_id = "endSubscription", security(("token" = [])),
    params(("id" = String, Path, format = "uuid", description = "The subscription's id.")),
    responses((status = 202, body = Unsubscribing, links(
        ("show" = (operation_id = "showOrder", parameters(("id" = "$response.body#/order")))),
        ("cancel" = (operation_id = "cancelOrder", parameters(("id" = "$response.body#/order")))))),
        (status = 429, description = "Too many open orders")))]
pub async fn end(
    State(exchange): State<Exchange>,
    caller: Caller,
    Path(id): Path<SubscriptionId>,
) -> Result<(StatusCode, Json<Unsubscribing>), Problem> {
    let (order, now) = (OrderId(exchange.world.uuid()), exchange.world.now());
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        still_signed_in(tx, &caller)?;
        let held = tx.exchange().find_subscription(caller.key, id)?.ok_or_else(Problem::not_found)?;
        crate::orders::refuse_too_many(tx, caller.key)?;
        let new = NewOrder {
            id: order,
            orderer: caller.key,
            action: OrderAction::Delete,
            offering: held.offering,
            version: None,
            product: Some(held.product),
            share: None,
        };
        tx.exchange().insert_order(&new)?;
        Ok(tx.jobs().enqueue(JobKind::ForwardOrder, &json!({ "order": order }), now)?)
    };
    exchange.store.write(write).await.map_err(Problem::from)?;
    Ok((StatusCode::ACCEPTED, Json(Unsubscribing { order })))
}
