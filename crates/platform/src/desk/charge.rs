//! Charging: who may pay, and the charge event in the commit that causes it (M19).

use domain::Msisdn;
use domain::catalogue::OfferingId;
use domain::charging::{ChargeKind, month_start};
use domain::decision::Payer;
use domain::ids::ProductOrderId;
use domain::key::ContactKey;
use domain::money::Money;
use store::platform::{ChargeRow, NewCharge, ProductRow};

use super::Desk;
use crate::charging::{self, PayerQuery};
use crate::refusal::Refusal;

/// A charge that is about to be written.
pub(crate) struct Paying<'a> {
    pub(crate) number: Msisdn,
    pub(crate) offering: &'a OfferingId,
    pub(crate) money: Money,
}

impl Desk<'_, '_> {
    /// What a payer is allowed, and has spent this month; read in the write that charges, so that of
    /// two orders at once the second sees the first.
    pub(crate) fn payer_of(
        &mut self,
        customer: ContactKey,
        order: Option<ProductOrderId>,
    ) -> Result<Payer, Refusal> {
        let since = month_start(self.world.now(), &self.config.zone);
        let (barred, monthly_cap_hundredths) = self.tx.platform().load_payer(customer)?;
        // Without a cap nobody needs the sum.
        let monthly_spend_hundredths = match monthly_cap_hundredths {
            Some(_) => self.tx.platform().load_spend(customer, since, order)?,
            None => 0,
        };
        Ok(Payer { barred, monthly_cap_hundredths, monthly_spend_hundredths })
    }

    /// What the charging system says about a payer. When it was not asked about this very charge, the
    /// write ends here with a [`Refusal`] that names the question: it is asked outside of any
    /// transaction, and the write begins again.
    pub(crate) fn can_pay(&self, paying: &Paying<'_>) -> Result<bool, Refusal> {
        if self.config.charging.is_none() || paying.money.hundredths() == 0 {
            return Ok(true);
        }
        let query =
            PayerQuery { number: paying.number, offering: paying.offering.clone(), money: paying.money };
        match &self.payer {
            Some(answer) if answer.query == query => Ok(answer.allowed),
            _ => Err(Refusal::ask(query)),
        }
    }

    /// Writes the charge event of a product's period, and the job that hands it over; `false` when
    /// there is one already.
    pub(crate) fn charge(
        &mut self,
        product: &ProductRow,
        kind: ChargeKind,
        period_no: i64,
    ) -> Result<bool, Refusal> {
        self.write_charge(&NewCharge { product, money: product.price.money, kind, period_no, reverses: None })
    }

    /// Gives a charge back, once; `false` when it was given back before.
    pub(crate) fn reverse(&mut self, product: &ProductRow, charge: &ChargeRow) -> Result<bool, Refusal> {
        let charge = &charge.event;
        self.write_charge(&NewCharge {
            product,
            money: charge.money,
            kind: ChargeKind::Reversal,
            period_no: charge.period_no,
            reverses: Some(charge.id),
        })
    }

    /// Gives back what a product's beginning was charged; `false` when nothing was.
    pub(crate) fn reverse_activation(&mut self, product: &ProductRow) -> Result<bool, Refusal> {
        let charges = self.tx.platform().list_product_charges(product.id)?;
        let activation = charges.iter().find(|charge| charge.event.kind == ChargeKind::Activation);
        activation.map_or(Ok(false), |charge| self.reverse(product, charge))
    }

    fn write_charge(&mut self, charge: &NewCharge<'_>) -> Result<bool, Refusal> {
        let written = self.tx.platform().insert_charge(charge)?;
        if written && self.config.charging.is_some() {
            charging::enqueue(self.tx, charge.product.customer, self.world.now())?;
        }
        Ok(written)
    }
}
