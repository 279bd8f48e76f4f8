//! `GET /v1/orders/{id}`

use std::time::Duration;

use api::orders::{Order, OrderWait};
use axum::Json;
use axum::extract::State;
use domain::ids::OrderId;
use domain::limits;
use edge::{Caller, Path, Problem, Query};

use crate::problem::Refused;
use crate::{Exchange, shown};

/// How often a waiting request looks by itself: another process may have changed the order.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Shows one of the caller's orders; with `wait_s`, once it has changed or that time is over.
#[utoipa::path(get, path = "/v1/orders/{id}", operation_id = "showOrder", security(("token" = [])),
    params(("id" = String, Path, format = "uuid", description = "The order's id."), OrderWait),
    responses((status = 200, body = Order)))]
pub async fn show(
    State(exchange): State<Exchange>,
    caller: Caller,
    Path(id): Path<OrderId>,
    Query(wait): Query<OrderWait>,
) -> Result<Json<Order>, Problem> {
    let wait_s = u64::from(wait.wait_s).min(limits::ORDER_WAIT_S_MAX.unsigned_abs());
    // Listening begins before the first look, so that no change falls in between.
    let mut signal = exchange.store.events_signal();
    let first = exchange.load_order(&caller, id).await?;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(wait_s);
    let mut order = first.clone();
    while order.state == first.state && !order.state.is_final() && tokio::time::Instant::now() < deadline {
        let heard = async { while signal.recv().await.is_ok_and(|key| key != caller.key) {} };
        let look = (tokio::time::Instant::now() + LOOK_EVERY).min(deadline);
        let _ = tokio::time::timeout_at(look, heard).await;
        order = exchange.load_order(&caller, id).await?;
    }
    Ok(Json(order))
}

impl Exchange {
    pub(crate) async fn load_order(&self, caller: &Caller, id: OrderId) -> Result<Order, Problem> {
        let (key, locale) = (caller.key, caller.locale);
        let read = self.store.read::<_, Refused, _>(move |view| {
            let order = view.exchange().find_order(key, id)?.ok_or_else(Problem::not_found)?;
            Ok(shown::order(view, order, locale)?)
        });
        read.await.map_err(Problem::from)
    }
}
