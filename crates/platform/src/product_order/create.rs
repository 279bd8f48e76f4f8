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

/// The actions that the document allows; those we do not carry out are rejected as orders.
const ACTIONS: [&str; 4] = ["add", "modify", "delete", "noChange"];

pub(crate) async fn create(
    State(platform): State<Platform>,
    operator: Operator,
    Body(order): Body<ProductOrderCreate>,
) -> Result<Response, Refusal> {
    check(&order)?;
    let asked = Asked::read(&order)?;
    let actor = actor(&operator);
    failpoints::pass(Point::BeforeDecision).await?;
    let order = charging::write_checked(&platform, actor, move |desk| desk.take(&asked)).await?;
    failpoints::pass(Point::AfterDecision).await?;
    metrics::counter!("product_orders_answered_total", "state" => order.state.word()).increment(1);
    let order = wire::order(&order);
    Ok(created(&order, order.href.as_deref().unwrap_or_default()))
}

/// What makes it no order at all; anything else is taken, and rejected as an order.
fn check(order: &ProductOrderCreate) -> Result<(), Refusal> {
    let too_long = |text: &String| text.len() > limits::count(limits::IDEMPOTENCY_KEY_CHARS_MAX);
    if order.external_id.as_ref().is_some_and(|id| id.is_empty() || too_long(id)) {
        return Err(Refusal::body("externalId must have 1 to 255 characters"));
    }
    if order.product_order_item.is_empty() {
        return Err(Refusal::body("productOrderItem must hold an item"));
    }
    let item_at_fault = order.product_order_item.iter().any(|item| !ACTIONS.contains(&item.action.as_str()));
    if item_at_fault {
        return Err(Refusal::body("each productOrderItem needs an action: add, modify, delete or noChange"));
    }
    Ok(())
}
