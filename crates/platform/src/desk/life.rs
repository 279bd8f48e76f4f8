//! The only place where an order or a product changes its state: the tables of `domain::order` decide,
//! and every change is told.

use domain::order::{OrderState, ProductState, Reason};
use store::platform::{OrderRow, ProductRow};
use tmf::EventType;

use super::Desk;
use crate::refusal::Refusal;

impl Desk<'_, '_> {
    /// Writes a new order down; `false` when its external id is taken.
    pub(crate) fn begin_order(&mut self, order: &OrderRow) -> Result<bool, Refusal> {
        if !OrderState::INITIAL.contains(&order.state) {
            return Err(Refusal::state("an order cannot begin in this state"));
        }
        if !self.tx.platform().insert_order(order)? {
            return Ok(false);
        }
        self.audit_begun(order)?;
        self.tell_order(EventType::ProductOrderCreate, order)?;
        Ok(true)
    }

    /// Moves an order on, if its table has the step and nobody was faster.
    pub(crate) fn move_order(
        &mut self,
        order: &mut OrderRow,
        to: OrderState,
        reason: Option<Reason>,
    ) -> Result<(), Refusal> {
        let possible = order.state.next().contains(&to);
        if !possible || !self.tx.platform().move_order(order.id, order.state, to, reason)? {
            return Err(Refusal::state("the order cannot go from its state to the one asked for"));
        }
        let from = std::mem::replace(&mut order.state, to);
        order.reason = reason;
        order.changed = self.world.now();
        self.audit_moved(from, order)?;
        self.tell_order(EventType::ProductOrderStateChange, order)?;
        if to == OrderState::Pending {
            self.tell_order(EventType::ProductOrderInformationRequired, order)?;
        }
        Ok(())
    }

    /// Writes a new product down.
    pub(crate) fn begin_product(&mut self, product: &ProductRow) -> Result<(), Refusal> {
        if product.state != ProductState::Created {
            return Err(Refusal::state("a product cannot begin in this state"));
        }
        self.tx.platform().insert_product(product)?;
        self.tell_product(EventType::ProductCreate, product)
    }

    /// Moves a product on, if its table has the step and nobody was faster.
    pub(crate) fn move_product(&mut self, product: &mut ProductRow, to: ProductState) -> Result<(), Refusal> {
        let possible = product.state.next().contains(&to);
        let ended = to.next().is_empty().then(|| self.world.now());
        if !possible || !self.tx.platform().move_product(product.id, product.state, to, ended)? {
            return Err(Refusal::state("the product cannot go from its state to the one asked for"));
        }
        if ended.is_some() {
            self.tx.platform().remove_term(product.id)?;
            self.tx.platform().leave_group(product.id)?;
        }
        product.state = to;
        product.ended = ended;
        self.audit_product(product)?;
        self.tell_product(EventType::ProductStateChange, product)
    }
}
