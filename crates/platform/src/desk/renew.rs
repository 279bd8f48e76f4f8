//! From one period of a subscription into the next: charged once, or not at all and said so.

use domain::catalogue::Offering;
use domain::charging::{ChargeKind, period_at, period_end};
use domain::ids::ProductId;
use domain::limits;
use domain::locale::Locale;
use domain::order::ProductState;
use domain::texts;
use domain::world::after_seconds;
use store::platform::{Customer, ProductRow, TermRow};

use super::{Desk, Paying};
use crate::refusal::Refusal;

impl Desk<'_, '_> {
    /// Writes down which period a product is in. One that began before it was known here is in a later
    /// one than its first, and was charged for that elsewhere.
    pub(crate) fn begin_term(&mut self, product: &ProductRow, renews: bool) -> Result<(), Refusal> {
        let (period, zone) = (product.price.period, &self.config.zone);
        // A price that is due once has no period: nothing ends, nothing follows.
        let Some((period_no, due)) = period_at(product.since, self.world.now(), period, zone) else {
            return Ok(());
        };
        let term = TermRow {
            product: product.id,
            renews,
            anchor: product.since,
            anchor_no: 0,
            period_no,
            due,
            look_at: due,
            refused: None,
        };
        Ok(self.tx.platform().put_term(&term)?)
    }

    /// Does what a product's period asks for now. Running it again changes nothing more.
    pub(crate) fn renew(&mut self, id: ProductId) -> Result<(), Refusal> {
        let now = self.world.now();
        let term = self.tx.platform().find_term(id)?;
        let Some(mut term) = term.filter(|term| term.look_at <= now) else { return Ok(()) };
        let Some(mut product) = self.tx.platform().find_product(id)? else {
            return Ok(self.tx.platform().remove_term(id)?);
        };
        let over = now >= term.due;
        match (product.state, term.refused) {
            (ProductState::Active, _) if over && term.renews => self.go_on(&mut product, &mut term),
            (ProductState::Active | ProductState::PendingTerminate, _) if over => self.end_told(&mut product),
            (ProductState::Active | ProductState::PendingTerminate, _) => {
                Ok(self.tx.platform().postpone_term(id, term.due)?)
            }
            (ProductState::Suspended, Some(since)) => {
                if after_seconds(since, limits::RENEWAL_GRACE_S) <= now {
                    return self.end_told(&mut product);
                }
                self.go_on(&mut product, &mut term)
            }
            // Somebody else's doing: when it is active again, its periods go on.
            (ProductState::Suspended | ProductState::Created | ProductState::PendingActive, _) => {
                let again = after_seconds(now, limits::RENEWAL_RETRY_S);
                Ok(self.tx.platform().postpone_term(id, again)?)
            }
            (ProductState::Aborted | ProductState::Cancelled | ProductState::Terminated, _) => {
                Ok(self.tx.platform().remove_term(id)?)
            }
        }
    }

    /// Charges the next period, one a commit: after a long time without a clock each is charged once.
    fn go_on(&mut self, product: &mut ProductRow, term: &mut TermRow) -> Result<(), Refusal> {
        let now = self.world.now();
        let Some(customer) = self.tx.platform().find_customer(product.customer)? else {
            return Err(Refusal::state("a product's customer is not known"));
        };
        let money = product.price.money;
        let payer = self.payer_of(customer.key, None)?;
        let paying = Paying { number: customer.number, offering: &product.offering, money };
        if !payer.may_spend(money.hundredths()) || !self.can_pay(&paying)? {
            return self.suspend_unpaid(product, term, &customer);
        }
        term.period_no += 1;
        if product.state == ProductState::Suspended {
            // The time without the service is not charged: a whole period begins now.
            self.move_product(product, ProductState::Active)?;
            (term.anchor, term.anchor_no, term.refused) = (now, term.period_no, None);
        }
        // A period charged before, of which the write was lost, is charged no second time.
        self.charge(product, ChargeKind::Renewal, term.period_no)?;
        let count = term.period_no - term.anchor_no + 1;
        let end = period_end(term.anchor, count, product.price.period, &self.config.zone);
        term.due = end.unwrap_or(jiff::Timestamp::MAX);
        term.look_at = term.due;
        Ok(self.tx.platform().put_term(term)?)
    }

    /// The payer cannot pay: the service rests, unbilled, and is tried again each day.
    fn suspend_unpaid(
        &mut self,
        product: &mut ProductRow,
        term: &mut TermRow,
        customer: &Customer,
    ) -> Result<(), Refusal> {
        let now = self.world.now();
        if product.state == ProductState::Active {
            self.move_product(product, ProductState::Suspended)?;
            let name = self.name_of(product, customer.locale)?;
            self.receipt(customer, texts::renewal_refused(customer.locale, &name))?;
        }
        term.refused = term.refused.or(Some(now));
        term.look_at = after_seconds(now, limits::RENEWAL_RETRY_S);
        Ok(self.tx.platform().put_term(term)?)
    }

    fn end_told(&mut self, product: &mut ProductRow) -> Result<(), Refusal> {
        self.end_product(product, None)?;
        let customer = self.tx.platform().find_customer(product.customer)?;
        let offering = self.tx.platform().find_offering(&product.offering)?;
        if let (Some(customer), Some((offering, _))) = (customer, offering) {
            self.receipt(&customer, texts::receipt_ended(customer.locale, &offering))?;
        }
        Ok(())
    }

    fn name_of(&mut self, product: &ProductRow, locale: Locale) -> Result<String, Refusal> {
        let offering = self.tx.platform().find_offering(&product.offering)?;
        let name = |offering: Offering| offering.name.text(locale).to_owned();
        Ok(offering.map_or_else(|| product.offering.to_string(), |(offering, _)| name(offering)))
    }
}
