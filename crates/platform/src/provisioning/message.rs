//! Calls as they are written outside.

use domain::catalogue::OfferingId;
use domain::ids::{ProductId, ProductOrderId};
use domain::provisioning::{ProvisioningAction, ProvisioningCall};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A call in JSON; members that are not known are passed over.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisioningMessage {
    /// The idempotency key.
    pub id: String,
    /// activate or stop.
    pub action: ProvisioningAction,
    /// For whom, in E.164.
    pub number: String,
    /// The subscription.
    pub product: ProductId,
    /// What it is to.
    pub offering: OfferingId,
    /// The order behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<ProductOrderId>,
    /// When it was decided.
    pub at: Timestamp,
    /// The start that counts for nothing, whether or not it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<String>,
}

impl From<&ProvisioningCall> for ProvisioningMessage {
    fn from(call: &ProvisioningCall) -> Self {
        Self {
            id: call.key.clone(),
            action: call.action,
            number: call.number.e164(),
            product: call.product,
            offering: call.offering.clone(),
            order: call.order,
            at: call.at,
            reverses: call.reverses.clone(),
        }
    }
}
