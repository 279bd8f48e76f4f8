//! An order that unsubscribes.

use domain::funnel::FunnelStep;
use domain::ids::ProductOrderId;
use domain::order::{OrderState, ProductState};
use domain::texts;
use store::platform::{ClaimHolder, Customer, OrderRow, ProductRow};

use super::Desk;
use crate::refusal::Refusal;

impl Desk<'_, '_> {
    /// Ends the product of an order in progress.
    pub(crate) fn complete_delete(
        &mut self,
        order: &mut OrderRow,
        customer: &Customer,
        product: &mut ProductRow,
        way_back: bool,
    ) -> Result<(), Refusal> {
        self.end_product(product, Some(order.id))?;
        let given_back = way_back && self.reverse_activation(product)?;
        self.move_order(order, OrderState::Completed, None)?;
        if let Some((offering, _)) = self.tx.platform().find_offering(&product.offering)? {
            let receipt = if given_back {
                texts::receipt_undone(customer.locale, &offering)
            } else {
                texts::receipt_ended(customer.locale, &offering)
            };
            self.receipt(customer, receipt)?;
        }
        self.funnel(FunnelStep::Ended, order)?;
        Ok(())
    }

    /// Ends a product wherever it stands, frees its claim, and has its provider told.
    pub(crate) fn end_product(
        &mut self,
        product: &mut ProductRow,
        order: Option<ProductOrderId>,
    ) -> Result<(), Refusal> {
        if product.state == ProductState::PendingActive {
            return self.withdraw_start(product, ProductState::Cancelled);
        }
        // The product's table has no step from suspended to terminated: it is made active, unbilled, on
        // the way, in this one commit. The same for one that has not begun.
        if matches!(product.state, ProductState::Suspended | ProductState::Created) {
            self.move_product(product, ProductState::Active)?;
        }
        self.move_product(product, ProductState::Terminated)?;
        self.release_product(product)?;
        self.stop_service(product, order)
    }

    /// Frees the claim of a product that has ended.
    pub(super) fn release_product(&mut self, product: &ProductRow) -> Result<(), Refusal> {
        let holder = ClaimHolder::Product(product.id);
        Ok(self.tx.platform().release_claim(product.customer, &product.offering, holder)?)
    }
}
