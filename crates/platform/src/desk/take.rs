//! Taking an order: the same external id is the same order; everything else is decided here and now.

use domain::Msisdn;
use domain::catalogue::OfferingId;
use domain::decision::Way;
use domain::funnel::FunnelStep;
use domain::ids::{ProductId, ProductOrderId};
use domain::locale::Locale;
use domain::order::{OrderAction, OrderState, Reason};
use domain::texts;
use store::platform::OrderRow;
use store::{Kind, StoreError};
use tmf::{PartyRef, ProductOrderCreate};

use super::Desk;
use super::verdict::Verdict;
use crate::refusal::Refusal;

/// An order's wire shape, read; what cannot be read is absent and leads to a rejection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) external_id: Option<String>,
    pub(crate) customer: Option<Msisdn>,
    pub(crate) locale: Option<Locale>,
    pub(crate) action: Option<OrderAction>,
    pub(crate) offering: Option<OfferingId>,
    pub(crate) version: Option<i64>,
    pub(crate) product: Option<ProductId>,
    /// What names the friend's share, or the friend's group.
    pub(crate) referral: Option<String>,
    /// Whether it takes the free way back: what was charged is given back.
    pub(crate) way_back: bool,
    /// The order as it was placed.
    pub(crate) request: Vec<u8>,
}

impl Asked {
    /// Reads an order; only one item is understood so far.
    pub(crate) fn read(order: &ProductOrderCreate) -> Result<Self, StoreError> {
        let customer = PartyRef::customer_of(&order.related_party);
        let language = order.related_party.iter().find_map(|party| party.language.as_deref());
        let mut asked = Self {
            external_id: order.external_id.clone(),
            customer: customer.and_then(|id| Msisdn::parse_e164(id).ok()),
            locale: language.map(Locale::nearest),
            referral: order.referral().map(str::to_owned),
            request: serde_json::to_vec(order).map_err(|error| StoreError::new(Kind::Internal, error))?,
            ..Self::default()
        };
        if let [item] = order.product_order_item.as_slice() {
            let offering = item.product_offering.as_ref();
            asked.action = OrderAction::parse(&item.action);
            asked.offering = offering.and_then(|offering| OfferingId::parse(&offering.id).ok());
            asked.version = offering.and_then(|offering| offering.version.as_ref()?.parse().ok());
            asked.product = item.product.as_ref().and_then(|product| product.id.as_ref()?.parse().ok());
        }
        Ok(asked)
    }
}

impl Desk<'_, '_> {
    /// Takes an order, or finds it again.
    pub(crate) fn take(&mut self, asked: &Asked) -> Result<OrderRow, Refusal> {
        if let Some(external_id) = &asked.external_id
            && let Some(known) = self.tx.platform().find_order_by_external_id(external_id)?
        {
            return Ok(known);
        }
        let now = self.world.now();
        let mut order = OrderRow {
            id: ProductOrderId(self.world.uuid()),
            external_id: asked.external_id.clone(),
            customer: asked.customer.map(|number| self.tx.platform().key_of(number)),
            action: asked.action,
            offering: asked.offering.clone(),
            version: None,
            state: OrderState::Acknowledged,
            reason: None,
            open_order: None,
            product: None,
            request: asked.request.clone(),
            taken: now,
            changed: now,
        };
        let verdict = self.decide(order.id, asked)?;
        match &verdict {
            Verdict::Reject(reason, open) => {
                order.state = OrderState::Rejected;
                (order.reason, order.open_order) = (Some(*reason), *open);
            }
            Verdict::Add(_, offering, ..) => order.version = Some(offering.version),
            Verdict::Delete(_, product, _) => {
                (order.product, order.offering) = (Some(product.id), Some(product.offering.clone()));
            }
        }
        if !self.begin_order(&order)? {
            // Another write with this external id came between: run again, and find it.
            return Err(StoreError::new(Kind::Contended, "an external id was taken meanwhile").into());
        }
        self.carry_out(&mut order, verdict)?;
        Ok(order)
    }

    fn carry_out(&mut self, order: &mut OrderRow, verdict: Verdict) -> Result<(), Refusal> {
        match verdict {
            Verdict::Reject(reason, _) => {
                self.funnel(FunnelStep::Ended, order)?;
                if reason == Reason::AlreadySubscribed {
                    self.text_already_subscribed(order)?;
                }
                Ok(())
            }
            Verdict::Add(customer, offering, _, Way::AtOnce) => {
                self.move_order(order, OrderState::InProgress, None)?;
                self.complete_add(order, &customer, &offering, Way::AtOnce)
            }
            Verdict::Add(customer, offering, provider, Way::Confirm) => {
                self.move_order(order, OrderState::Pending, None)?;
                self.ask(order, &customer, &offering, &provider)
            }
            Verdict::Delete(customer, mut product, way_back) => {
                self.move_order(order, OrderState::InProgress, None)?;
                self.complete_delete(order, &customer, &mut product, way_back)
            }
        }
    }

    fn text_already_subscribed(&mut self, order: &OrderRow) -> Result<(), Refusal> {
        let (Some(key), Some(offering)) = (order.customer, &order.offering) else { return Ok(()) };
        let customer = self.tx.platform().find_customer(key)?;
        let offering = self.tx.platform().find_offering(offering)?;
        if let (Some(customer), Some((offering, _))) = (customer, offering) {
            let name = offering.name.text(customer.locale);
            self.receipt(&customer, texts::not_ordered(customer.locale, name, Reason::AlreadySubscribed))?;
        }
        Ok(())
    }
}
