//! `GET /v1/matches`: who has the caller's number while the caller has theirs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Match {
    /// The other's number, E.164; the caller's own book holds it.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::e164))]
    pub number: String,
    /// Matched since then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub since: Timestamp,
}
