//! `/v1/subscriptions` and `…/{id}/share`: what the caller has, and who may see it.

use domain::ids::{OrderId, SubscriptionId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A subscription of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Subscription {
    /// The id.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::id))]
    pub id: SubscriptionId,
    /// The offering's id.
    pub offering: String,
    /// The offering's name in the caller's language.
    pub name: String,
    /// The platform's state of it, such as `active`.
    pub status: String,
    /// Subscribed since then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub since: Timestamp,
    /// Whether it is shared with anybody.
    pub shared: bool,
    /// Whether it may be shared: it is in use and not marked sensitive.
    pub shareable: bool,
}

/// Who may see a shared service, always among the matched.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// Every match.
    Matches,
    /// These people, while they match; any reading inwards, E.164 outwards.
    Only(Vec<String>),
}

impl std::fmt::Debug for Audience {
    // Other people's numbers do not print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Matches => f.write_str("Matches"),
            Self::Only(numbers) => write!(f, "Only({} numbers)", numbers.len()),
        }
    }
}

/// `PUT …/share`: shows the service to an audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetShare {
    /// To whom.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::audience))]
    pub audience: Audience,
}

/// A share as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Share {
    /// The shared subscription.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::id))]
    pub subscription: SubscriptionId,
    /// To whom.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::audience))]
    pub audience: Audience,
    /// Shared since then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub since: Timestamp,
}

/// 202 of `DELETE /v1/subscriptions/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unsubscribing {
    /// The order that ends the subscription; read it at `/v1/orders/{id}`.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::id))]
    pub order: OrderId,
}
