//! `/v1/orders`: from a friend's share to a service of one's own.

use domain::ids::OrderId;
use domain::order::{OrderAction, Progress, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The header that makes a repeated `POST /v1/orders` one order.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// `POST /v1/orders`: the tap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlaceOrder {
    /// From the feed.
    pub share_id: String,
}

/// `GET /v1/orders/{id}?wait_s=`: waits for the order to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct OrderWait {
    /// Seconds to wait for the next change, 30 at most; 0 answers at once.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", param(maximum = 4_294_967_295_u32))]
    pub wait_s: u32,
}

/// An order of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Order {
    /// The id.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::id))]
    pub id: OrderId,
    /// How far it is.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::progress))]
    pub state: Progress,
    /// Why it did not end as it was meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::reason))]
    pub reason: Option<Reason>,
    /// The offering's id.
    pub offering: String,
    /// The offering's name in the caller's language.
    pub name: String,
    /// Whether it subscribes (`add`) or unsubscribes (`delete`).
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::action))]
    pub action: OrderAction,
    /// Placed then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub created_at: Timestamp,
}
