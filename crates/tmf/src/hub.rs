//! The register of listeners. Source: TMF630 part 4, "hub".

use serde::{Deserialize, Serialize};

/// Asks to be told of events.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HubRequest {
    /// Where events are posted, at `<callback>/listener/<eventType>`.
    pub callback: String,
    /// Which events, as a filter; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

/// A listener as registered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HubListener {
    /// The id to end it with.
    pub id: String,
    /// Where events are posted.
    pub callback: String,
    /// Which events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}
