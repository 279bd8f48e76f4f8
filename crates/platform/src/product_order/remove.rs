//! DELETE productOrder/{id}: an order that has ended is shown no more. What it was stays as evidence.

use axum::extract::State;
use domain::ids::ProductOrderId;
use edge::operator::Operator;
use store::audit::{AuditAction, AuditEntry};
use tmf::EventType;

use super::show::find;
use crate::Platform;
use crate::auth::actor;
use crate::desk::Desk;
use crate::lists::{Gone, Id};
use crate::refusal::Refusal;

pub(crate) async fn remove(
    State(platform): State<Platform>,
    operator: Operator,
    id: Id,
) -> Result<Gone, Refusal> {
    let id: ProductOrderId = id.read()?;
    let (store, actor) = (platform.store.clone(), actor(&operator));
    store
        .write(move |tx| {
            let order = find(&mut tx.platform(), id)?.ok_or_else(Refusal::not_found)?;
            if !order.state.is_final() {
                return Err(Refusal::state(
                    "an open order cannot be deleted; cancel it with cancelProductOrder",
                ));
            }
            tx.platform().withdraw(id.0)?;
            let entry = AuditEntry::new(actor.clone(), AuditAction::OrderWithdrawn).order(id);
            tx.audit().append(&order.customer.into_iter().fold(entry, AuditEntry::about))?;
            Desk::new(tx, &platform).tell_order(EventType::ProductOrderDelete, &order)
        })
        .await?;
    Ok(Gone)
}
