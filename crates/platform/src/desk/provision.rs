//! A provider starts and stops its service when told: the order waits for it, and is held while there is no
//! answer.

use domain::catalogue::{Offering, OfferingId};
use domain::decision::Way;
use domain::funnel::FunnelStep;
use domain::ids::ProductOrderId;
use domain::limits;
use domain::order::{OrderState, ProductState, Reason};
use domain::provisioning::ProvisioningAction::{Activate, Stop};
use domain::texts;
use domain::world::after_seconds;
use store::platform::{
    Customer, NewProvisioning, OrderRow, ProductRow, ProvisioningOutcome, ProvisioningRow,
};

use super::Desk;
use crate::outbound::pause_s;
use crate::provisioning;
use crate::refusal::Refusal;

/// What a provider said to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is done, now or before.
    Done,
    /// It will not be done.
    Refused,
    /// Nothing that counts: it may be done or not.
    Nothing,
}

/// The idempotency key of an order's item.
fn item_key(order: ProductOrderId) -> String {
    format!("{order}/1")
}

impl Desk<'_, '_> {
    /// Has the provider start the service of an order in progress; until it answers the subscription is
    /// pending, and nothing is charged.
    pub(crate) fn ask_provider(
        &mut self,
        order: &mut OrderRow,
        customer: &Customer,
        offering: &Offering,
    ) -> Result<(), Refusal> {
        let mut product = self.begin_subscription(order, customer, offering)?;
        self.move_product(&mut product, ProductState::PendingActive)?;
        self.write_call(&NewProvisioning {
            key: item_key(order.id),
            provider: &offering.provider,
            action: Activate,
            product: &product,
            order: Some(order.id),
            reverses: None,
            due: self.world.now(),
        })
    }

    /// Acts on what a provider said. Whoever comes second, or too late, changes nothing.
    pub(crate) fn provider_said(&mut self, row: &ProvisioningRow, said: Said) -> Result<(), Refusal> {
        let key = row.call.key.as_str();
        let outcome = match said {
            Said::Done => ProvisioningOutcome::Done,
            Said::Refused => ProvisioningOutcome::Refused,
            Said::Nothing if row.call.action == Activate && self.is_too_late(row) => {
                ProvisioningOutcome::Dropped
            }
            Said::Nothing => {
                let pause = pause_s(row.tries, limits::PROVISIONING_BACKOFF_S_MAX);
                let again = after_seconds(self.world.now(), pause);
                let open = self.tx.platform().postpone_provisioning(key, again)?;
                return if open && row.call.action == Activate { self.hold(row) } else { Ok(()) };
            }
        };
        if !self.tx.platform().settle_provisioning(key, outcome)? {
            return Ok(());
        }
        match (row.call.action, said) {
            (Activate, Said::Done) => self.started(row),
            // A provider that refuses the first time it is asked has certainly not acted.
            (Activate, _) => self.not_started(row, said == Said::Nothing || row.tries > 0),
            (Stop, _) => Ok(()),
        }
    }

    fn is_too_late(&self, row: &ProvisioningRow) -> bool {
        self.world.seconds_since(row.call.at) >= limits::PROVISIONING_S_MAX
    }

    fn hold(&mut self, row: &ProvisioningRow) -> Result<(), Refusal> {
        let (mut order, _) = self.waiting_for(row)?;
        if order.state == OrderState::InProgress {
            self.move_order(&mut order, OrderState::Held, None)?;
        }
        Ok(())
    }

    fn started(&mut self, row: &ProvisioningRow) -> Result<(), Refusal> {
        let (mut order, mut product) = self.waiting_for(row)?;
        let (customer, offering) = self.parties(row)?;
        self.resume(&mut order)?;
        product.since = self.world.now();
        self.tx.platform().put_product_since(product.id, product.since)?;
        self.activate(&mut order, &mut product, &customer, &offering, Way::Confirm)
    }

    /// The order fails: no subscription, and nothing charged. A provider that may have acted is told to stop.
    fn not_started(&mut self, row: &ProvisioningRow, may_have_acted: bool) -> Result<(), Refusal> {
        let (mut order, mut product) = self.waiting_for(row)?;
        self.resume(&mut order)?;
        self.move_order(&mut order, OrderState::Failed, Some(Reason::ActivationFailed))?;
        self.move_product(&mut product, ProductState::Aborted)?;
        self.release_product(&product)?;
        self.reverse_activation(&product)?;
        if may_have_acted {
            self.undo_start(row, &product)?;
        }
        let (customer, offering) = self.parties(row)?;
        let name = offering.name.text(customer.locale);
        let told = texts::not_ordered(customer.locale, name, Reason::ActivationFailed);
        self.receipt(&customer, told)?;
        Ok(self.funnel(FunnelStep::Ended, &order)?)
    }

    /// Ends a subscription that its provider has not started yet: cancelled, or aborted.
    pub(crate) fn withdraw_start(
        &mut self,
        product: &mut ProductRow,
        to: ProductState,
    ) -> Result<(), Refusal> {
        self.move_product(product, to)?;
        self.release_product(product)?;
        let Some(start) = self.tx.platform().find_provisioning(product.id, Activate)? else { return Ok(()) };
        self.tx.platform().settle_provisioning(&start.call.key, ProvisioningOutcome::Dropped)?;
        // The call may be on its way at this very moment.
        self.undo_start(&start, product)
    }

    /// Tells the provider of a subscription that has ended to stop its service, where it is told such things.
    pub(super) fn stop_service(
        &mut self,
        product: &ProductRow,
        order: Option<ProductOrderId>,
    ) -> Result<(), Refusal> {
        let start = self.tx.platform().find_provisioning(product.id, Activate)?;
        let provider = match start {
            Some(start) => start.provider,
            // What began before its provider was told of anything ends there all the same.
            None => match self.tx.platform().find_offering(&product.offering)? {
                Some((offering, _)) if self.is_told(&offering) => offering.provider,
                _ => return Ok(()),
            },
        };
        let key = order.map_or_else(|| self.world.uuid().to_string(), item_key);
        let due = self.world.now();
        let (action, reverses) = (Stop, None);
        self.write_call(&NewProvisioning { key, provider: &provider, action, product, order, reverses, due })
    }

    /// Whether the provider of an offering starts and stops it when told.
    pub(super) fn is_told(&self, offering: &Offering) -> bool {
        self.config.provisioning.contains_key(&offering.provider)
    }

    fn undo_start(&mut self, start: &ProvisioningRow, product: &ProductRow) -> Result<(), Refusal> {
        self.write_call(&NewProvisioning {
            key: self.world.uuid().to_string(),
            provider: &start.provider,
            action: Stop,
            product,
            order: start.call.order,
            reverses: Some(start.call.key.clone()),
            // No start that is on its way just now comes after it: a run has ended by then.
            due: after_seconds(self.world.now(), limits::JOB_LEASE_S),
        })
    }

    fn write_call(&mut self, call: &NewProvisioning<'_>) -> Result<(), Refusal> {
        if self.tx.platform().insert_provisioning(call)? {
            provisioning::enqueue(self.tx, call.provider, call.due)?;
        }
        Ok(())
    }

    /// From held nothing ends: carrying out goes on first.
    fn resume(&mut self, order: &mut OrderRow) -> Result<(), Refusal> {
        match order.state {
            OrderState::Held => self.move_order(order, OrderState::InProgress, None),
            _ => Ok(()),
        }
    }

    /// The order and the subscription that wait for a start.
    fn waiting_for(&mut self, row: &ProvisioningRow) -> Result<(OrderRow, ProductRow), Refusal> {
        let order = match row.call.order {
            Some(order) => self.tx.platform().find_order(order)?,
            None => None,
        };
        let product = self.tx.platform().find_product(row.call.product)?;
        order
            .zip(product)
            .ok_or_else(|| Refusal::state("a call to a provider is about nothing that is there"))
    }

    fn parties(&mut self, row: &ProvisioningRow) -> Result<(Customer, Offering), Refusal> {
        let customer = self.tx.platform().find_customer(row.customer)?;
        let offering = self.offering(&row.call.offering)?;
        customer.zip(offering).ok_or_else(|| Refusal::state("a call to a provider is about nobody known"))
    }

    fn offering(&mut self, id: &OfferingId) -> Result<Option<Offering>, Refusal> {
        Ok(self.tx.platform().find_offering(id)?.map(|(offering, _)| offering))
    }

    /// The order that waits for a subscription's provider.
    pub(crate) fn order_of_start(&mut self, product: &ProductRow) -> Result<Option<ProductOrderId>, Refusal> {
        Ok(self.tx.platform().find_provisioning(product.id, Activate)?.and_then(|start| start.call.order))
    }
}
