//! `POST /v1/orders/{id}/cancel`

use api::Code;
use api::orders::Order;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::OrderId;
use edge::{Caller, Path, Problem};
use serde_json::json;
use store::Tx;
use store::jobs::JobKind;

use crate::Exchange;
use crate::problem::{Refused, still_signed_in};

/// Asks the platform to cancel an order that has not ended; the order's state then tells what came of it.
#[utoipa::path(post, path = "/v1/orders/{id}/cancel", operation_id = "cancelOrder", security(("token" = [])),
    params(("id" = String, Path, format = "uuid", description = "The order's id.")),
    responses((status = 202, body = Order),
        (status = 409, description = "The order can no longer be cancelled")))]
pub async fn cancel(
    State(exchange): State<Exchange>,
    caller: Caller,
    Path(id): Path<OrderId>,
) -> Result<(StatusCode, Json<Order>), Problem> {
    let now = exchange.world.now();
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        still_signed_in(tx, &caller)?;
        let order = tx.exchange().find_order(caller.key, id)?.ok_or_else(Problem::not_found)?;
        if order.state.is_final() {
            let detail = "This order has ended. To get rid of a service, unsubscribe from it.";
            return Err(Problem::new(Code::OrderNotCancellable, detail).into());
        }
        tx.exchange().want_cancelled(id)?;
        Ok(tx.jobs().enqueue_topic(JobKind::CancelOrder, &id.to_string(), &json!({ "order": id }), now)?)
    };
    exchange.store.write(write).await.map_err(Problem::from)?;
    Ok((StatusCode::ACCEPTED, Json(exchange.load_order(&caller, id).await?)))
}
