//! `GET /v1/orders`

use api::Page;
use api::orders::Order;
use axum::Json;
use axum::extract::State;
use domain::ids::OrderId;
use edge::{Caller, Paging, Problem};

use crate::problem::Refused;
use crate::{Exchange, shown};

/// Lists the caller's orders, the newest first.
#[utoipa::path(get, path = "/v1/orders", operation_id = "listOrders", security(("token" = [])), params(edge::PagingParams),
    responses((status = 200, body = Page<Order>)))]
pub async fn list(
    State(exchange): State<Exchange>,
    caller: Caller,
    paging: Paging,
) -> Result<Json<Page<Order>>, Problem> {
    let (before, count): (Option<OrderId>, usize) = (paging.after()?, paging.fetch());
    let read = exchange.store.read::<_, Refused, _>(move |view| {
        let orders = view.exchange().list_orders(caller.key, before, count)?;
        Ok(orders
            .into_iter()
            .map(|order| shown::order(view, order, caller.locale))
            .collect::<Result<Vec<_>, _>>()?)
    });
    let orders = read.await.map_err(Problem::from)?;
    Ok(Json(paging.page(orders, |last: &Order| last.id)))
}
