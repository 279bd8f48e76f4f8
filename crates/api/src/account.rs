//! `/v1/me`, `/v1/me/export`, `/v1/me/sessions`, `/v1/session`: what is held about the caller.

use domain::ids::{SessionId, SubscriberId};
use domain::locale::Locale;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::book::BookStatus;
use crate::consents::ConsentShown;
use crate::matches::Match;
use crate::orders::Order;
use crate::subscriptions::{Share, Subscription};

/// The caller's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// The id.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::id))]
    pub id: SubscriberId,
    /// The own number, E.164.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::e164))]
    pub number: String,
    /// The language the person is addressed in.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::locale))]
    pub locale: Locale,
    /// Registered then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub since: Timestamp,
    /// The consents in force.
    pub consents: Vec<ConsentShown>,
}

/// A signed-in device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// The id.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::id))]
    pub id: SessionId,
    /// What the person called the device.
    pub device: Option<String>,
    /// Signed in then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub since: Timestamp,
    /// Whether it is the device that asks.
    pub current: bool,
}

/// Everything held about the caller, in one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Export {
    /// Written then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub exported_at: Timestamp,
    /// The account.
    pub me: Me,
    /// The signed-in devices.
    pub sessions: Vec<Session>,
    /// The book: its numbers are kept as keys only and cannot be read back.
    pub book: BookStatus,
    /// The size of the encrypted backup, in bytes; null when there is none.
    pub backup_bytes: Option<i64>,
    /// The matches.
    pub matches: Vec<Match>,
    /// How many people the caller has hidden: they too are kept as keys only.
    pub hidden: i64,
    /// The subscriptions, as far as the caller lets them be kept.
    pub subscriptions: Vec<Subscription>,
    /// The shares.
    pub shares: Vec<Share>,
    /// The orders.
    pub orders: Vec<Order>,
    /// The steps of the funnel that the caller took.
    pub activity: Vec<Activity>,
}

/// One step that was written down about the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Activity {
    /// Then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub at: Timestamp,
    /// Which step, such as `shared` or `tapped`.
    pub step: String,
    /// The offering's id, where there is one.
    pub offering: Option<String>,
}
