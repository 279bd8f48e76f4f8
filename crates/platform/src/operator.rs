//! What the operator's own interface asks of the platform.

use domain::catalogue::Provider;
use domain::key::ContactKey;
use domain::order::{OrderState, Reason};
use jiff::Timestamp;
use jiff::civil::Date;
use store::audit::Actor;
use store::platform::{OrderFilter, OrderRow};
use store::{Kind, StoreError, Tx};
use tmf::{EventType, ProductOrderCreate};

use crate::Platform;
use crate::charging;
use crate::desk::Desk;
use crate::refusal::Refusal;

impl Platform {
    /// Today in the operator's time zone, by which designations count.
    pub fn today(&self) -> Date {
        self.world.now().to_zoned(self.config.zone.clone()).date()
    }

    /// Writes a provider, and tells the listeners of each of its offerings: the cards name it.
    ///
    /// # Errors
    /// The store's.
    pub fn put_provider(&self, tx: &mut Tx<'_>, provider: &Provider) -> Result<(), StoreError> {
        tx.platform().put_provider(provider)?;
        for (offering, provider) in tx.platform().list_offerings_of(&provider.id)? {
            let kind = EventType::ProductOfferingAttributeValueChange;
            Desk::new(tx, self).tell_offering(kind, &offering, &provider)?;
        }
        Ok(())
    }

    /// Ends what a customer had before a moment, who is none any more: open orders are cancelled, live products
    /// terminated, no text goes out, and what stays as evidence names nobody. Answers how many products and
    /// orders there were.
    ///
    /// # Errors
    /// The store's.
    pub fn end_customer(
        &self,
        tx: &mut Tx<'_>,
        key: ContactKey,
        actor: &Actor,
        why: Reason,
        before: Timestamp,
    ) -> Result<(usize, usize), StoreError> {
        let of_them = OrderFilter { customers: Some(vec![key]), ..OrderFilter::default() };
        let (mut orders, _) = tx.platform().list_orders(&of_them, 0, usize::MAX)?;
        orders.retain(|order| order.taken < before);
        let mut open = 0;
        for order in orders.iter_mut().filter(|order| !order.state.is_final()) {
            let mut desk = Desk::new(tx, self).acting_for(Some(actor.clone()));
            desk.withdraw(order, why).map_err(StoreError::from)?;
            open += 1;
        }
        let mut live = tx.platform().list_live_products(key)?;
        live.retain(|product| product.since < before);
        for product in &mut live {
            let mut desk = Desk::new(tx, self).acting_for(Some(actor.clone()));
            desk.end_product(product, None).map_err(StoreError::from)?;
        }
        for order in &orders {
            tx.platform().replace_request(order.id, &naming_nobody(order)?)?;
            // That it ended was a step of this very write.
            if let Some(cause) = &order.external_id {
                tx.funnel().unlink(key, cause)?;
            }
        }
        let nobody = tx.platform().forget_customer(key, before)?;
        // What is owed is handed over from under the new key.
        charging::enqueue(tx, nobody, self.world.now())?;
        Ok((live.len(), open))
    }
}

impl Desk<'_, '_> {
    /// Cancels an order wherever it stands, by the steps that its table has.
    pub(crate) fn withdraw(&mut self, order: &mut OrderRow, why: Reason) -> Result<(), Refusal> {
        use OrderState::*;
        let steps: &[OrderState] = match order.state {
            Acknowledged => &[InProgress, AssessingCancellation, PendingCancellation],
            InProgress => &[AssessingCancellation, PendingCancellation],
            AssessingCancellation => &[PendingCancellation],
            _ => &[],
        };
        for step in steps {
            self.move_order(order, *step, None)?;
        }
        self.cancel(order, why)
    }
}

/// The order as it was placed, without the people in it.
fn naming_nobody(order: &OrderRow) -> Result<Vec<u8>, StoreError> {
    let request: ProductOrderCreate = serde_json::from_slice(&order.request).unwrap_or_default();
    let ProductOrderCreate { external_id, channel, product_order_item, .. } = request;
    let request = ProductOrderCreate { external_id, channel, product_order_item, ..Default::default() };
    serde_json::to_vec(&request).map_err(|error| StoreError::new(Kind::Internal, error))
}
