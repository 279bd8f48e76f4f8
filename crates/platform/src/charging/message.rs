//! Charge events as they are written outside: to the charging system, into files, in its record.

use domain::Msisdn;
use domain::catalogue::OfferingId;
use domain::charging::{ChargeEvent, ChargeKind};
use domain::ids::ProductId;
use domain::money::Money;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::PayerQuery;

/// A charge event in JSON; members that are not known are passed over.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeMessage {
    /// The id, which is its idempotency key.
    pub id: Uuid,
    /// Who pays, in E.164.
    pub number: String,
    /// Its place among this payer's events, from 1, without a gap.
    pub payer_no: i64,
    /// activation, renewal or reversal.
    pub kind: ChargeKind,
    /// The subscription.
    pub product: ProductId,
    /// What it is to.
    pub offering: OfferingId,
    /// The period of the subscription, from 0.
    pub period_no: i64,
    /// How much; for a reversal what is given back.
    pub amount: Money,
    /// When it was caused.
    pub at: Timestamp,
    /// The event that a reversal gives back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<Uuid>,
}

impl From<&ChargeEvent> for ChargeMessage {
    fn from(event: &ChargeEvent) -> Self {
        Self {
            id: event.id,
            number: event.number.e164(),
            payer_no: event.payer_no,
            kind: event.kind,
            product: event.product,
            offering: event.offering.clone(),
            period_no: event.period_no,
            amount: event.money,
            at: event.at,
            reverses: event.reverses,
        }
    }
}

impl ChargeMessage {
    /// The event that it tells of; `None` when its number is none.
    pub fn event(self) -> Option<ChargeEvent> {
        Some(ChargeEvent {
            id: self.id,
            number: Msisdn::parse_e164(&self.number).ok()?,
            payer_no: self.payer_no,
            kind: self.kind,
            product: self.product,
            offering: self.offering,
            period_no: self.period_no,
            money: self.amount,
            at: self.at,
            reverses: self.reverses,
        })
    }
}

/// The question whether somebody can pay.
#[derive(Clone, Serialize, Deserialize)]
pub struct PayerQuestion {
    /// Who would pay, in E.164.
    pub number: String,
    /// For what.
    pub offering: OfferingId,
    /// How much.
    pub amount: Money,
}

impl From<&PayerQuery> for PayerQuestion {
    fn from(query: &PayerQuery) -> Self {
        Self { number: query.number.e164(), offering: query.offering.clone(), amount: query.money }
    }
}

/// Its answer.
#[derive(Serialize, Deserialize)]
pub(crate) struct PayerWord {
    pub(crate) allowed: bool,
}
