//! DELETE product/{id}: a product ends, if it has not, and is shown no more. What it was stays as evidence.

use axum::extract::State;
use domain::ids::ProductId;
use domain::order::ProductState;
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
    let id: ProductId = id.read()?;
    let (store, actor) = (platform.store.clone(), actor(&operator));
    store
        .write(move |tx| {
            let mut product = find(&mut tx.platform(), id)?.ok_or_else(Refusal::not_found)?;
            let mut desk = Desk::new(tx, &platform).acting_for(Some(actor.clone()));
            if product.state == ProductState::PendingActive {
                desk.withdraw_waiting(&mut product, ProductState::Cancelled)?;
            } else if product.state.is_live() {
                desk.end_product(&mut product, None)?;
            }
            desk.tell_product(EventType::ProductDelete, &product)?;
            tx.platform().withdraw(id.0)?;
            let entry = AuditEntry::new(actor.clone(), AuditAction::ProductWithdrawn);
            Ok::<_, Refusal>(tx.audit().append(&entry.about(product.customer).product(id))?)
        })
        .await?;
    Ok(Gone)
}
