//! PATCH productOrder/{id}: changes what is written beside an order. What it asks for was decided, and stays; its
//! state goes only where the table leads it.

use axum::extract::State;
use axum::response::Response;
use domain::ids::ProductOrderId;
use edge::operator::Operator;
use serde_json::Value;
use store::audit::{AuditAction, AuditEntry};
use store::{Kind, StoreError};
use tmf::document::ORDERING;
use tmf::{EventType, ProductOrderCreate};

use super::show::find;
use crate::Platform;
use crate::auth::actor;
use crate::desk::Desk;
use crate::lists::{Id, Patch, one, to_value};
use crate::refusal::Refusal;
use crate::wire;

/// What may be changed while an order is open.
const FREE: [&str; 7] = [
    "description",
    "category",
    "priority",
    "notificationContact",
    "requestedStartDate",
    "requestedCompletionDate",
    "note",
];

pub(crate) async fn change(
    State(platform): State<Platform>,
    operator: Operator,
    id: Id,
    patch: Patch,
) -> Result<Response, Refusal> {
    let id: ProductOrderId = id.read()?;
    let (store, actor) = (platform.store.clone(), actor(&operator));
    patch.check(&ORDERING, "ProductOrder_Update")?;
    let order = store
        .write(move |tx| {
            let mut order = find(&mut tx.platform(), id)?.ok_or_else(Refusal::not_found)?;
            let shown = to_value(&wire::order(&order));
            let (merged, changed) = patch.merge(&shown);
            if changed.is_empty() {
                return Ok(order);
            }
            allow(&changed, order.state.is_final())?;
            order.request = request_of(&merged, &order.request)?;
            tx.platform().replace_request(id, &order.request)?;
            let entry = AuditEntry::new(actor.clone(), AuditAction::OrderChanged).order(id);
            tx.audit().append(&entry.with("members", changed.join(" ")))?;
            Desk::new(tx, &platform).tell_order(EventType::ProductOrderAttributeValueChange, &order)?;
            Ok::<_, Refusal>(order)
        })
        .await?;
    Ok(one(&wire::order(&order), None))
}

fn allow(changed: &[String], ended: bool) -> Result<(), Refusal> {
    if changed.iter().any(|name| name == "state") {
        return Err(Refusal::state("an order's state cannot be written; cancel it with cancelProductOrder"));
    }
    if changed.iter().any(|name| !FREE.contains(&name.as_str())) {
        return Err(Refusal::body(format!("of an order only these can be changed: {}", FREE.join(", "))));
    }
    if ended {
        return Err(Refusal::state("an order that has ended cannot be changed"));
    }
    Ok(())
}

/// The order as it was placed, with what may be changed as it is now.
fn request_of(merged: &Value, placed: &[u8]) -> Result<Vec<u8>, Refusal> {
    let internal = |error| StoreError::new(Kind::Internal, error);
    let mut request: Value = serde_json::from_slice(placed).map_err(internal)?;
    if let Some(members) = request.as_object_mut() {
        for name in FREE {
            match merged.get(name) {
                Some(value) => members.insert(name.to_owned(), value.clone()),
                None => members.remove(name),
            };
        }
    }
    let request: ProductOrderCreate = serde_json::from_value(request)
        .map_err(|_| Refusal::body("a member has a value that it cannot have"))?;
    Ok(serde_json::to_vec(&request).map_err(internal)?)
}
