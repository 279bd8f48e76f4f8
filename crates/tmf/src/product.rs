//! Products, which is what subscriptions are called here. Source: TMF637 4.0.0, `Product`.

use domain::Msisdn;
use domain::catalogue::OfferingId;
use domain::order::ProductState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::common::{OfferingRef, PartyRef, PricePlan, Unreadable, null_as_default};

/// What a customer has subscribed to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Product {
    /// The id.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
    /// Where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// The offering's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A state of [`ProductState`].
    #[serde(deserialize_with = "null_as_default")]
    pub status: String,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<Timestamp>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub termination_date: Option<Timestamp>,
    /// Who pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_account: Option<BillingAccountRef>,
    /// What sets it apart from others of its offering: `name` and `value` each.
    #[serde(deserialize_with = "null_as_default")]
    pub product_characteristic: Vec<serde_json::Value>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_offering: Option<OfferingRef>,
    /// What it costs.
    #[serde(deserialize_with = "null_as_default")]
    pub product_price: Vec<PricePlan>,
    /// Whose it is.
    #[serde(deserialize_with = "null_as_default")]
    pub related_party: Vec<PartyRef>,
    /// The name of this shape.
    #[serde(rename = "@type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
}

/// Writes a product down: what the operator registers by hand.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProductCreate(pub Product);

/// Which account pays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BillingAccountRef {
    /// The id; here the customer's number.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
}

impl Product {
    /// The state in the words of the domain.
    ///
    /// # Errors
    /// [`Unreadable`] for any other word.
    pub fn state(&self) -> Result<ProductState, Unreadable> {
        // The document's own list has "aborted " with a trailing blank.
        ProductState::parse(self.status.trim()).ok_or(Unreadable("status"))
    }

    /// The characteristic that holds what an order names in its note `referral` when it is to lead to where this
    /// product is, such as into the same group: opaque, and nobody's number.
    pub const REFERRAL_REFERENCE: &str = "referralReference";

    /// What orders from this product's share name, where the platform has said so.
    pub fn referral_reference(&self) -> Option<&str> {
        let of_name = |one: &&serde_json::Value| one["name"] == Self::REFERRAL_REFERENCE;
        self.product_characteristic.iter().find(of_name)?["value"].as_str()
    }

    /// Whose it is.
    ///
    /// # Errors
    /// [`Unreadable`] when no related party is a customer with an E.164 number.
    pub fn customer(&self) -> Result<Msisdn, Unreadable> {
        let id = PartyRef::customer_of(&self.related_party).ok_or(Unreadable("relatedParty"))?;
        Msisdn::parse_e164(id).map_err(|_| Unreadable("relatedParty"))
    }

    /// What it is.
    ///
    /// # Errors
    /// [`Unreadable`] when there is no offering or its id is none.
    pub fn offering(&self) -> Result<OfferingId, Unreadable> {
        let offering = self.product_offering.as_ref().ok_or(Unreadable("productOffering"))?;
        OfferingId::parse(&offering.id).map_err(|_| Unreadable("productOffering"))
    }
}
