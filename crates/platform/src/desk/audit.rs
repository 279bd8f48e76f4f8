//! Every decision is written down where it is made.

use domain::order::{OrderState, ProductState, Reason};
use store::StoreError;
use store::audit::{AuditAction, AuditEntry};
use store::platform::{OrderRow, ProductRow};

use super::Desk;

impl Desk<'_, '_> {
    /// Writes down that an order was taken or refused.
    pub(super) fn audit_begun(&mut self, order: &OrderRow) -> Result<(), StoreError> {
        let action = match order.state {
            OrderState::Rejected => AuditAction::OrderRejected,
            _ => AuditAction::OrderAccepted,
        };
        let about = |mut entry: AuditEntry| {
            if let Some(action) = order.action {
                entry = entry.with("action", action.word());
            }
            if let Some(offering) = &order.offering {
                entry = entry.with("offering", offering.as_str());
            }
            entry
        };
        self.audit_order(action, order, order.reason, about)
    }

    /// Writes down where an order has gone, where that is a decision.
    pub(super) fn audit_moved(&mut self, from: OrderState, order: &OrderRow) -> Result<(), StoreError> {
        use OrderState::*;
        let action = match (from, order.state) {
            (Acknowledged, Pending) => AuditAction::OrderAsked,
            (Pending, InProgress) => AuditAction::OrderConfirmed,
            (_, Held) => AuditAction::OrderHeld,
            (_, Completed | Partial) => AuditAction::OrderCompleted,
            (_, Cancelled) => AuditAction::OrderCancelled,
            (_, Failed) => AuditAction::OrderFailed,
            // Steps on the way from one decision to the next.
            _ => return Ok(()),
        };
        self.audit_order(action, order, order.reason, |entry| entry)
    }

    fn audit_order(
        &mut self,
        action: AuditAction,
        order: &OrderRow,
        reason: Option<Reason>,
        more: impl FnOnce(AuditEntry) -> AuditEntry,
    ) -> Result<(), StoreError> {
        let Some(actor) = self.actor.clone() else { return Ok(()) };
        let mut entry = more(AuditEntry::new(actor, action)).order(order.id);
        if let Some(customer) = order.customer {
            entry = entry.about(customer);
        }
        if let Some(reason) = reason {
            entry = entry.with("reason", reason.word());
        }
        self.tx.audit().append(&entry)
    }

    /// Writes down that a product came into use, ended, or changed otherwise.
    pub(super) fn audit_product(&mut self, product: &ProductRow) -> Result<(), StoreError> {
        let Some(actor) = self.actor.clone() else { return Ok(()) };
        let action = match product.state {
            ProductState::Active => AuditAction::ProductActivated,
            state if state.next().is_empty() => AuditAction::ProductTerminated,
            _ => AuditAction::ProductChanged,
        };
        let entry = AuditEntry::new(actor, action)
            .about(product.customer)
            .product(product.id)
            .with("offering", product.offering.as_str())
            .with("state", product.state.word());
        self.tx.audit().append(&entry)
    }
}
