//! `GET /v1/events`: server-sent events `order`, `match`, `share`, `reset`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::orders::Order;

/// One event of the caller's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What to send as `Last-Event-ID` to go on after this one.
    pub id: String,
    /// What happened.
    pub happening: Happening,
}

/// What happened; its name is the event's name, its inside the event's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// An order moved.
    Order(Order),
    /// A match began or ended.
    Match(MatchChanged),
    /// A friend began or stopped to share a service.
    Share(ShareChanged),
    /// Events are gone that were not seen: orders, matches and feed are to be read anew.
    Reset,
}

/// The data of `match`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MatchChanged {
    /// The other's number, E.164.
    pub number: String,
    /// Whether they match now.
    pub matched: bool,
    /// Then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub at: Timestamp,
}

/// The data of `share`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShareChanged {
    /// The share, as this viewer knows it.
    pub share_id: String,
    /// Whose it is, E.164.
    pub friend: String,
    /// Whether it can be seen now.
    pub shared: bool,
    /// Then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub at: Timestamp,
}

/// One event as it stands in the stream, for the contract's sake.
#[cfg(feature = "openapi")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct StreamEvent {
    /// What to send as `Last-Event-ID` to go on after this one.
    pub id: String,
    /// `order`, `match`, `share` or `reset`.
    pub event: String,
    /// A JSON object.
    pub data: String,
}

impl Happening {
    /// The event's name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Order(_) => "order",
            Self::Match(_) => "match",
            Self::Share(_) => "share",
            Self::Reset => "reset",
        }
    }

    /// The event's data on the wire: one line of JSON.
    ///
    /// # Errors
    /// Those of the serialiser; none is known for these shapes.
    pub fn data(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Order(order) => serde_json::to_string(order),
            Self::Match(change) => serde_json::to_string(change),
            Self::Share(change) => serde_json::to_string(change),
            Self::Reset => Ok("{}".to_owned()),
        }
    }

    /// Reads an event back; `None` for a name that this version does not know.
    ///
    /// # Errors
    /// Data that does not fit the name.
    pub fn parse(name: &str, data: &str) -> Result<Option<Self>, serde_json::Error> {
        Ok(match name {
            "order" => Some(Self::Order(serde_json::from_str(data)?)),
            "match" => Some(Self::Match(serde_json::from_str(data)?)),
            "share" => Some(Self::Share(serde_json::from_str(data)?)),
            "reset" => Some(Self::Reset),
            _ => None,
        })
    }
}
