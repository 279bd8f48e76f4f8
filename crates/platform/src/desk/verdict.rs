//! The decision about an order (M9, M10, M11), before anything is written but the claim.

use domain::catalogue::{Offering, Provider};
use domain::decision::{Preset, Way, preset_conditions, way};
use domain::ids::ProductOrderId;
use domain::key::ContactKey;
use domain::limits;
use domain::order::{OrderAction, ProductState, Reason};
use store::platform::{ClaimHolder, ConfirmationOutcome, Customer, ProductRow};

use super::{Asked, Desk, Paying};
use crate::refusal::Refusal;

/// How an order goes on.
pub(crate) enum Verdict {
    /// It is refused.
    Reject(Reason, Option<ProductOrderId>),
    /// It subscribes; the claim is taken.
    Add(Customer, Offering, Provider, Way),
    /// It ends a product, or takes the free way back from it.
    Delete(Customer, ProductRow, bool),
}

impl Desk<'_, '_> {
    /// Decides about an order; takes the claim when the order adds.
    pub(crate) fn decide(&mut self, id: ProductOrderId, asked: &Asked) -> Result<Verdict, Refusal> {
        let Some(number) = asked.customer else { return Ok(reject(Reason::OfferingNotAvailable)) };
        let customer = self.tx.platform().put_customer(number, asked.locale)?;
        match asked.action {
            Some(OrderAction::Add) => self.decide_add(id, customer, asked),
            Some(OrderAction::Delete) => self.decide_delete(customer, asked),
            None => Ok(reject(Reason::OfferingNotAvailable)),
        }
    }

    fn decide_add(
        &mut self,
        id: ProductOrderId,
        customer: Customer,
        asked: &Asked,
    ) -> Result<Verdict, Refusal> {
        let found = match &asked.offering {
            Some(offering) => self.tx.platform().find_offering(offering)?,
            None => None,
        };
        let Some((offering, provider)) = found else { return Ok(reject(Reason::OfferingNotAvailable)) };
        if let Err(reason) = self.preset(&customer, &offering, asked.version, None)? {
            return Ok(reject(reason));
        }
        if let Err(reason) = self.check_group(customer.key, &offering, asked.referral.as_deref())? {
            return Ok(reject(reason));
        }
        match self.tx.platform().take_claim(customer.key, &offering.id, id)? {
            None => {}
            Some(ClaimHolder::Product(_)) => return Ok(reject(Reason::AlreadySubscribed)),
            Some(ClaimHolder::Order(open)) => return Ok(Verdict::Reject(Reason::OrderOpen, Some(open))),
        }
        match self.way(customer.key, &provider)? {
            Ok(way) => Ok(Verdict::Add(customer, offering, provider, way)),
            Err(reason) => {
                self.tx.platform().release_claim(customer.key, &offering.id, ClaimHolder::Order(id))?;
                Ok(reject(reason))
            }
        }
    }

    /// The operator's preset conditions, and what the charging system says about the payer. `order` is
    /// the order whose confirmation is being answered: what it would charge is not counted twice.
    pub(crate) fn preset(
        &mut self,
        customer: &Customer,
        offering: &Offering,
        shown_version: Option<i64>,
        order: Option<ProductOrderId>,
    ) -> Result<Result<(), Reason>, Refusal> {
        let payer = self.payer_of(customer.key, order)?;
        let mut platform = self.tx.platform();
        let live = platform.list_live_products(customer.key)?;
        let excluding = platform.list_excluding(&offering.id)?;
        let live: Vec<_> = live.into_iter().map(|product| product.offering).collect();
        let preset = preset_conditions(&Preset {
            offering,
            shown_version,
            payer,
            excluded_by_live: excluding.iter().any(|other| live.contains(other)),
            live: &live,
        });
        if preset.is_err() {
            return Ok(preset);
        }
        let paying = Paying { number: customer.number, offering: &offering.id, money: offering.price.money };
        Ok(if self.can_pay(&paying)? { Ok(()) } else { Err(Reason::PayerCheckFailed) })
    }

    /// The way by the provider's standing today; a phone with too many open questions gets no more.
    pub(crate) fn way(
        &mut self,
        customer: ContactKey,
        provider: &Provider,
    ) -> Result<Result<Way, Reason>, Refusal> {
        let now = self.world.now();
        let way = way(provider, now.to_zoned(self.config.zone.clone()).date());
        if way == Ok(Way::Confirm) {
            let open = self.tx.platform().list_confirmations(customer, now)?;
            let open = open.iter().filter(|row| row.outcome == ConfirmationOutcome::Open).count();
            if open >= limits::count(limits::CONFIRMATIONS_OPEN_MAX) {
                return Ok(Err(Reason::OrderOpen));
            }
        }
        Ok(way)
    }

    fn decide_delete(&mut self, customer: Customer, asked: &Asked) -> Result<Verdict, Refusal> {
        let live = self.tx.platform().list_live_products(customer.key)?;
        let product = live.into_iter().find(|product| {
            // By the product's id where it is given; a terminal that knows only the offering may say that.
            match (asked.product, &asked.offering) {
                (Some(id), _) => product.id == id,
                (None, Some(offering)) => product.offering == *offering,
                (None, None) => false,
            }
        });
        let Some(product) = product else { return Ok(reject(Reason::NotSubscribed)) };
        if product.state == ProductState::PendingActive {
            // Its provider is just starting it: only once that is decided can it be ended.
            return Ok(Verdict::Reject(Reason::OrderOpen, self.order_of_start(&product)?));
        }
        Ok(Verdict::Delete(customer, product, asked.way_back))
    }
}

fn reject(reason: Reason) -> Verdict {
    Verdict::Reject(reason, None)
}
