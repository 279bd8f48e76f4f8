//! The free way back from a service of the operator's own, for a day after it began.

use domain::catalogue::ProviderKind;
use domain::limits;
use domain::world::after_seconds;
use jiff::Timestamp;
use store::platform::{Customer, ProductFilter};

use super::{Asked, Desk};
use crate::refusal::Refusal;

/// More than anybody orders in a day.
const PRODUCTS_MAX: usize = 10_000;

impl Desk<'_, '_> {
    /// Undoes what was started last, if that was less than a day ago and the operator's own; `false`
    /// when there is nothing to undo. Only the last: the same text again must not undo another.
    pub(crate) fn take_way_back(&mut self, customer: &Customer, asked: Timestamp) -> Result<bool, Refusal> {
        let filter = ProductFilter { customers: Some(vec![customer.key]), ..ProductFilter::default() };
        let (products, _) = self.tx.platform().list_products(&filter, 0, PRODUCTS_MAX)?;
        let since = after_seconds(asked, -limits::WAY_BACK_S);
        let mut last = None;
        for product in products.into_iter().filter(|product| product.since >= since) {
            let offering = self.tx.platform().find_offering(&product.offering)?;
            let own = offering.is_some_and(|(_, provider)| provider.kind == ProviderKind::Own);
            if own && !self.tx.platform().list_charges(product.id)?.is_empty() {
                last = Some(product);
            }
        }
        let Some(product) = last.filter(|product| product.state.is_live()) else { return Ok(false) };
        let order = tmf::ProductOrderCreate {
            external_id: None,
            channel: vec![tmf::Channel { id: "sms".to_owned(), name: None }],
            ..tmf::ProductOrderCreate::delete("", customer.number, &product.id.to_string())
        };
        self.take(&Asked { way_back: true, ..Asked::read(&order)? })?;
        Ok(true)
    }
}
