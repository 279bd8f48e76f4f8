//! POST productOrder: takes an order and decides it at once.

use axum::extract::State;
use axum::response::Response;
use domain::limits;
use edge::operator::Operator;
use store::failpoints::{self, Point};
use tmf::ProductOrderCreate;

use crate::Platform;
use crate::auth::actor;
use crate::charging;
use crate::desk::Asked;
use crate::lists::{Body, created};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn create(
    State(platform): State<Platform>,
    operator: Operator,
    Body(mut order): Body<ProductOrderCreate>,
) -> Result<Response, Refusal> {
    // Clients that have no id of their own leave it empty.
    order.external_id = order.external_id.filter(|id| !id.is_empty());
    if order
        .external_id
        .as_ref()
        .is_some_and(|id| id.len() > limits::count(limits::IDEMPOTENCY_KEY_CHARS_MAX))
    {
        return Err(Refusal::body("externalId must have 255 characters at most"));
    }
    let asked = Asked::read(&order)?;
    let actor = actor(&operator);
    failpoints::pass(Point::BeforeDecision).await?;
    let order = charging::write_checked(&platform, actor, move |desk| desk.take(&asked)).await?;
    failpoints::pass(Point::AfterDecision).await?;
    metrics::counter!("product_orders_answered_total", "state" => order.state.word()).increment(1);
    let order = wire::order(&order);
    Ok(created(&order, order.href.as_deref().unwrap_or_default()))
}
