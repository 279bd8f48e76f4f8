//! `GET /v1/feed` and `/v1/friends/{number}/shares`: what the matched show the caller.

use domain::catalogue::ProviderKind;
use domain::money::{Period, Price};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Narrows the feed; both keys are optional.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct FeedFilter {
    /// Only what this friend shares; any reading of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub friend: Option<String>,
    /// Only shares of this offering, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offering: Option<String>,
}

/// One shared service of one friend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedItem {
    /// What to order by; random, and another for every viewer.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::share_id))]
    pub share_id: String,
    /// Whose it is, E.164.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::e164))]
    pub friend: String,
    /// Shared since then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub since: Timestamp,
    /// What is shared: all that must stand on the card before the tap.
    pub offering: OfferingCard,
    /// Whether the caller has it.
    pub mine: bool,
}

/// An offering with all that a person must know before ordering it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OfferingCard {
    /// The offering's id.
    pub id: String,
    /// Its name in the caller's language.
    pub name: String,
    /// Who runs it.
    pub provider: ProviderCard,
    /// What it costs.
    pub price: PriceShown,
    /// Whether it goes on by itself after each period.
    pub renews: bool,
    /// The terms, in the caller's language.
    pub terms: String,
    /// How to get rid of it, in the caller's language.
    pub how_to_cancel: String,
}

/// A provider on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderCard {
    /// Its name in the caller's language.
    pub name: String,
    /// What it counts as today.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::provider_kind))]
    pub kind: ProviderKind,
}

/// A price: `{"amount":"5.00","currency":"CNY","period":"month"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceShown {
    /// Two decimals.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9]+[.][0-9]{2}$"))]
    pub amount: String,
    /// ISO 4217.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
    /// How often it is due.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::period))]
    pub period: Period,
}

impl From<Price> for PriceShown {
    fn from(price: Price) -> Self {
        let currency = price.money.currency().to_owned();
        Self { amount: price.money.amount(), currency, period: price.period }
    }
}
