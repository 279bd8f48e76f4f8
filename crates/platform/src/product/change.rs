//! PATCH product/{id}: the operator moves a product to another state, where its table has the step.

use axum::extract::State;
use axum::response::Response;
use domain::ids::ProductId;
use domain::order::{ProductState, Reason};
use edge::operator::Operator;
use store::platform::ProductRow;
use tmf::document::INVENTORY;

use super::show::find;
use crate::Platform;
use crate::auth::actor;
use crate::desk::Desk;
use crate::lists::{Id, Patch, one, to_value};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn change(
    State(platform): State<Platform>,
    operator: Operator,
    id: Id,
    patch: Patch,
) -> Result<Response, Refusal> {
    let id: ProductId = id.read()?;
    patch.check(&INVENTORY, "Product_Update")?;
    let (store, actor) = (platform.store.clone(), actor(&operator));
    let product = store
        .write(move |tx| {
            let mut row = find(&mut tx.platform(), id)?.ok_or_else(Refusal::not_found)?;
            let shown = to_value(&wire::product(&mut tx.platform(), &row)?);
            let (merged, changed) = patch.merge(&shown);
            if changed.iter().any(|name| name != "status") {
                return Err(Refusal::body(
                    "of a product only status can be changed; order what else is wished",
                ));
            }
            let mut desk = Desk::new(tx, &platform).acting_for(Some(actor.clone()));
            if !changed.is_empty() {
                let word = merged.get("status").and_then(|status| status.as_str()).unwrap_or_default();
                let to = ProductState::parse(word.trim());
                desk.lead(&mut row, to.ok_or_else(|| Refusal::body("status must be given"))?)?;
            }
            Ok::<_, Refusal>(wire::product(&mut desk.tx.platform(), &row)?)
        })
        .await?;
    Ok(one(&product, None))
}

impl Desk<'_, '_> {
    /// Leads a product to a state. One that ends gives its claim back; one that begins has a period from then on.
    fn lead(&mut self, product: &mut ProductRow, to: ProductState) -> Result<(), Refusal> {
        if product.state == to {
            return Ok(());
        }
        if product.state == ProductState::PendingActive && !to.is_live() {
            return self.withdraw_waiting(product, to);
        }
        if product.state == ProductState::PendingActive && self.order_of_start(product)?.is_some() {
            return Err(Refusal::state("its provider has not said yet that it has started; wait, or end it"));
        }
        if to == ProductState::Terminated {
            return self.end_product(product, None);
        }
        if to == ProductState::Active
            && self.tx.platform().find_term(product.id)?.is_none()
            && let Some((offering, _)) = self.tx.platform().find_offering(&product.offering)?
        {
            self.begin_term(product, offering.renews)?;
        }
        self.move_product(product, to)
    }

    /// Ends a product that its provider has not started, and the order that waits for it.
    pub(crate) fn withdraw_waiting(
        &mut self,
        product: &mut ProductRow,
        to: ProductState,
    ) -> Result<(), Refusal> {
        let order = match self.order_of_start(product)? {
            Some(id) => self.tx.platform().find_order(id)?,
            None => None,
        };
        if let Some(mut order) = order.filter(|order| !order.state.is_final()) {
            self.withdraw(&mut order, Reason::ActivationFailed)?;
        }
        self.withdraw_start(product, to)
    }
}
