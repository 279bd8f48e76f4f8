//! What a provider is told: to start a service for somebody, or to stop it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Msisdn;
use crate::catalogue::OfferingId;
use crate::ids::{ProductId, ProductOrderId};

/// What a provider is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProvisioningAction {
    /// To start the service.
    Activate,
    /// To stop it, whether or not it was started.
    Stop,
}

impl ProvisioningAction {
    /// The word used outside and at rest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Stop => "stop",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Activate, Self::Stop].into_iter().find(|action| action.word() == word)
    }
}

/// One call to a provider, the same however often it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisioningCall {
    /// The idempotency key: the order's item, or an id of its own where no order is behind it.
    pub key: String,
    /// What to do.
    pub action: ProvisioningAction,
    /// For whom.
    pub number: Msisdn,
    /// Which subscription: what was started under it is stopped under it.
    pub product: ProductId,
    /// To what.
    pub offering: OfferingId,
    /// The order behind it.
    pub order: Option<ProductOrderId>,
    /// When it was decided.
    pub at: Timestamp,
    /// The key of a start of which nobody knows whether it was made, and which counts for nothing.
    pub reverses: Option<String>,
}
