//! `GET /operator/v1/orders` and `GET /operator/v1/orders/{id}`: orders with their history.

use api::Code;
use axum::Json;
use axum::extract::State;
use domain::ids::ProductOrderId;
use domain::order::OrderState;
use edge::operator::Operator;
use edge::{Listing, NoQuery, Path, Problem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::audit::{Actor, AuditAction, AuditEntry, AuditRow};
use store::platform::{ConfirmationOutcome, Evidence, OrderRow};
use store::{StoreError, Tx};

use crate::Operators;
use crate::problem::Refused;

/// Which orders.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Of this number, in any reading.
    number: Option<String>,
    /// In this state, in TM Forum's words.
    state: Option<String>,
    /// Taken at this moment or later, in RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// An order where it stands. It names nobody: whose it is, the operator asked or knows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Order {
    /// The platform's id.
    #[schema(value_type = String)]
    id: ProductOrderId,
    /// The id given by whoever placed it: the exchange's own.
    external_id: Option<String>,
    /// `add` or `delete`.
    action: Option<String>,
    offering: Option<String>,
    state: String,
    reason: Option<String>,
    /// The order that stood in the way.
    open_order: Option<String>,
    product: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    taken: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    changed: Timestamp,
}

/// A page of orders.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Orders {
    items: Vec<Order>,
    /// Where the next page begins.
    next: Option<String>,
}

/// One decision about an order or its product.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Decision {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who decided: `platform`, or `operator/` and the name of a token.
    actor: String,
    action: String,
    /// The reason and the like.
    detail: Value,
}

/// The confirmation of an order, without its code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Confirmation {
    #[schema(value_type = String, format = DateTime)]
    written: Timestamp,
    /// When the SMS centre took the text.
    #[schema(value_type = Option<String>, format = DateTime)]
    accepted: Option<Timestamp>,
    /// Until when an answer counts.
    #[schema(value_type = String, format = DateTime)]
    deadline: Timestamp,
    /// Wrong answers.
    attempts: i64,
    /// `open`, `confirmed` or `ended`.
    outcome: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed: Option<Timestamp>,
    /// Where its text stands; nothing once the text was erased.
    text: Option<Text>,
}

/// A text, without what it says.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Text {
    state: String,
    #[schema(value_type = String, format = DateTime)]
    written: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    sent: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    accepted: Option<Timestamp>,
    attempts: i64,
}

/// What proves how an order was confirmed, or not.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Proof {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `asked`, `accepted`, `undeliverable` or `replied`.
    kind: &'static str,
    /// The text that asked, what the centre called its parts, how it ended undelivered, or the answer.
    body: String,
}

/// A charge event of the order's product.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Charge {
    id: String,
    /// `activation`, `renewal` or `reversal`.
    kind: String,
    /// In hundredths of the currency.
    hundredths: i64,
}

/// An order with all that was decided about it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct OrderHistory {
    #[serde(flatten)]
    order: Order,
    /// The decisions, the oldest first; none once its person was erased.
    history: Vec<Decision>,
    confirmation: Option<Confirmation>,
    /// Once the order has ended, the oldest first; nothing before, since the code stands in it.
    evidence: Vec<Proof>,
    charges: Vec<Charge>,
}

/// Lists orders, the oldest first.
#[utoipa::path(get, path = "/operator/v1/orders", security(("operator" = [])), params(Which, edge::PagingParams),
    responses((status = 200, body = Orders), (status = "default", body = api::Problem)))]
pub(crate) async fn list(
    State(operators): State<Operators>,
    operator: Operator,
    Listing { filter, paging }: Listing<Which>,
) -> Result<Json<Orders>, Problem> {
    let customer = filter.number.as_deref().map(|number| operators.key(number)).transpose()?;
    let state = filter.state.as_deref().map(read_state).transpose()?;
    let since = filter.since.unwrap_or(Timestamp::UNIX_EPOCH);
    let (after, fetch) = (paging.after::<ProductOrderId>()?, paging.fetch());
    let mut entry = entry(&operator);
    if let Some(customer) = customer {
        entry = entry.about(customer);
    }
    let write = move |tx: &mut Tx<'_>| -> Result<_, Refused> {
        tx.audit().append(&entry)?;
        Ok(tx.platform().list_orders_since(customer, state, since, after, fetch)?)
    };
    let orders = operators.store.write(write).await.map_err(Problem::from)?;
    let page = paging.page(orders, |order: &OrderRow| order.id);
    Ok(Json(Orders { items: page.items.iter().map(show_order).collect(), next: page.next }))
}

/// Shows an order with its history: each decision with its time and reason, its confirmation, its charges.
#[utoipa::path(get, path = "/operator/v1/orders/{id}", security(("operator" = [])),
    params(("id" = String, Path, description = "The platform's id of the order, or the exchange's.")),
    responses((status = 200, body = OrderHistory), (status = "default", body = api::Problem)))]
pub(crate) async fn show(
    State(operators): State<Operators>,
    operator: Operator,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<Json<OrderHistory>, Problem> {
    let entry = entry(&operator);
    let write = move |tx: &mut Tx<'_>| -> Result<OrderHistory, Refused> {
        let own = match id.parse() {
            Ok(id) => tx.platform().find_order(id)?,
            Err(_) => None,
        };
        let order = match own {
            Some(order) => Some(order),
            None => tx.platform().find_order_by_external_id(&id)?,
        };
        let order = order.ok_or_else(Problem::not_found)?;
        let history = tx.audit().list_of_order(order.customer, order.id, order.product)?;
        let mut entry = entry.clone().order(order.id);
        if let Some(customer) = order.customer {
            entry = entry.about(customer);
        }
        tx.audit().append(&entry)?;
        Ok(OrderHistory {
            order: show_order(&order),
            history: history.iter().map(decision).collect(),
            confirmation: confirmation(tx, order.id)?,
            evidence: evidence(tx, &order)?,
            charges: charges(tx, &order)?,
        })
    };
    operators.store.write(write).await.map(Json).map_err(Problem::from)
}

fn entry(operator: &Operator) -> AuditEntry {
    AuditEntry::new(Actor::Operator(operator.name().to_owned()), AuditAction::OrdersRead)
}

fn read_state(word: &str) -> Result<OrderState, Problem> {
    OrderState::parse(word).ok_or_else(|| {
        let words: Vec<_> = OrderState::ALL.iter().map(|state| state.word()).collect();
        let detail = format!("There is no such state; use one of {}.", words.join(", "));
        Problem::new(Code::RequestMalformed, detail).field("state", "is no state of an order")
    })
}

fn show_order(row: &OrderRow) -> Order {
    Order {
        id: row.id,
        external_id: row.external_id.clone(),
        action: row.action.map(|action| action.word().to_owned()),
        offering: row.offering.as_ref().map(ToString::to_string),
        state: row.state.word().to_owned(),
        reason: row.reason.map(|reason| reason.word().to_owned()),
        open_order: row.open_order.map(|id| id.to_string()),
        product: row.product.map(|id| id.to_string()),
        taken: row.taken,
        changed: row.changed,
    }
}

fn decision(row: &AuditRow) -> Decision {
    let mut detail: Value = serde_json::from_str(&row.detail).unwrap_or_default();
    // Pseudonyms say nothing beside the order itself.
    if let Some(detail) = detail.as_object_mut() {
        detail.remove("order");
        detail.remove("product");
    }
    Decision { at: row.moment(), actor: row.actor.clone(), action: row.action.clone(), detail }
}

fn confirmation(tx: &mut Tx<'_>, order: ProductOrderId) -> Result<Option<Confirmation>, StoreError> {
    let Some(row) = tx.platform().find_confirmation(order)? else { return Ok(None) };
    let text = tx.texts().find_outline(row.text)?.map(|outline| Text {
        state: outline.state.word().to_owned(),
        written: outline.created,
        sent: outline.sent,
        accepted: outline.accepted,
        attempts: outline.attempts,
    });
    let outcome = match row.outcome {
        ConfirmationOutcome::Open => "open",
        ConfirmationOutcome::Confirmed => "confirmed",
        ConfirmationOutcome::Ended => "ended",
    };
    Ok(Some(Confirmation {
        written: row.written,
        accepted: row.accepted,
        deadline: row.deadline,
        attempts: row.attempts,
        outcome: outcome.to_owned(),
        closed: row.closed,
        text,
    }))
}

fn evidence(tx: &mut Tx<'_>, order: &OrderRow) -> Result<Vec<Proof>, StoreError> {
    if !order.state.is_final() {
        return Ok(Vec::new());
    }
    let kept = tx.platform().list_evidence(order.id)?;
    let shown = |one: Evidence| Proof { at: one.at, kind: one.kind.word(), body: one.body };
    Ok(kept.into_iter().map(shown).collect())
}

fn charges(tx: &mut Tx<'_>, order: &OrderRow) -> Result<Vec<Charge>, StoreError> {
    let Some(product) = order.product else { return Ok(Vec::new()) };
    let charges = tx.platform().list_charges(product)?;
    let shown =
        |(id, kind, hundredths): (uuid::Uuid, String, i64)| Charge { id: id.to_string(), kind, hundredths };
    Ok(charges.into_iter().map(shown).collect())
}
