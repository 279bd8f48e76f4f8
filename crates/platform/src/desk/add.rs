//! An order that subscribes comes to its end: with a product, or without.

use domain::catalogue::Offering;
use domain::charging::ChargeKind;
use domain::decision::Way;
use domain::funnel::FunnelStep;
use domain::ids::ProductId;
use domain::order::{OrderState, ProductState, Reason};
use domain::texts;
use store::platform::{ClaimHolder, ConfirmationOutcome, Customer, OrderRow, ProductRow};

use super::Desk;
use crate::refusal::Refusal;

impl Desk<'_, '_> {
    /// Starts the service of an order in progress: product, charge event, receipt, all in this commit.
    pub(crate) fn complete_add(
        &mut self,
        order: &mut OrderRow,
        customer: &Customer,
        offering: &Offering,
        way: Way,
    ) -> Result<(), Refusal> {
        let mut product = self.begin_subscription(order, customer, offering)?;
        self.activate(order, &mut product, customer, offering, way)
    }

    /// Writes down the subscription that comes of an order in progress, and hands the claim to it.
    pub(super) fn begin_subscription(
        &mut self,
        order: &mut OrderRow,
        customer: &Customer,
        offering: &Offering,
    ) -> Result<ProductRow, Refusal> {
        let product = ProductRow {
            id: ProductId(self.world.uuid()),
            customer: customer.key,
            offering: offering.id.clone(),
            state: ProductState::Created,
            price: offering.price,
            since: self.world.now(),
            ended: None,
        };
        // Before it is told of: the product shows the short number.
        self.join_group(order, &product, offering)?;
        self.begin_product(&product)?;
        if !self.tx.platform().pass_claim(order.id, &product)? {
            return Err(Refusal::state("the order no longer holds the claim on its offering"));
        }
        self.tx.platform().put_order_product(order.id, product.id)?;
        order.product = Some(product.id);
        Ok(product)
    }

    /// A subscription comes into use, and is charged: its order is done.
    pub(super) fn activate(
        &mut self,
        order: &mut OrderRow,
        product: &mut ProductRow,
        customer: &Customer,
        offering: &Offering,
        way: Way,
    ) -> Result<(), Refusal> {
        self.move_product(product, ProductState::Active)?;
        self.begin_term(product, offering.renews)?;
        self.charge(product, ChargeKind::Activation, 0)?;
        self.move_order(order, OrderState::Completed, None)?;
        let receipt = match (self.tx.platform().find_membership(product.id)?, way) {
            (Some(member), way) => {
                let (locale, way_back) = (customer.locale, way == Way::AtOnce);
                texts::receipt_joined(locale, offering, member.short_number.as_str(), way_back)
            }
            (None, Way::AtOnce) => texts::receipt_started_own(customer.locale, offering),
            (None, Way::Confirm) => texts::receipt_started(customer.locale, offering),
        };
        self.receipt(customer, receipt)?;
        self.funnel(FunnelStep::Active, order)?;
        Ok(())
    }

    /// Ends a pending order without a product: its code is void, its claim free, and the person is told
    /// unless they ended it themselves on the screen that shows it.
    pub(crate) fn cancel(&mut self, order: &mut OrderRow, reason: Reason) -> Result<(), Refusal> {
        self.close(order.id, ConfirmationOutcome::Ended)?;
        self.move_order(order, OrderState::Cancelled, Some(reason))?;
        let (Some(key), Some(id)) = (order.customer, order.offering.clone()) else { return Ok(()) };
        self.tx.platform().release_claim(key, &id, ClaimHolder::Order(order.id))?;
        // Whoever has the number now knows nothing of it.
        if !matches!(reason, Reason::UserCancelled | Reason::NumberReassigned) {
            let customer = self.tx.platform().find_customer(key)?;
            let offering = self.tx.platform().find_offering(&id)?;
            if let (Some(customer), Some((offering, _))) = (customer, offering) {
                let name = offering.name.text(customer.locale);
                self.receipt(&customer, texts::not_ordered(customer.locale, name, reason))?;
            }
        }
        self.funnel(FunnelStep::Ended, order)?;
        Ok(())
    }
}
