//! `POST /v1/registrations` and `…/{id}/confirm`: a number is proven to be a person's.

use domain::ids::{RegistrationId, SubscriberId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::consents::ConsentGiven;

/// Asks for a sign-in code by text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BeginRegistration {
    /// The person's own number, in any reading.
    pub number: String,
    /// The language to be addressed in (BCP 47); Chinese when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// 202: the code is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegistrationBegun {
    /// What to confirm.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::id))]
    pub registration_id: RegistrationId,
    /// The code counts until then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub expires_at: Timestamp,
    /// Seconds until another text may be asked for.
    pub resend_after_s: i64,
}

/// Proves the number by the code from the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmRegistration {
    /// The six digits.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::kept_text))]
    pub code: String,
    /// What the person calls this device, for the list of sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::kept_text_or_null))]
    pub device: Option<String>,
    /// Consents given with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::consents_given))]
    pub consents: Vec<ConsentGiven>,
}

/// 201: signed in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedIn {
    /// The bearer token of this device; shown this once.
    pub token: String,
    /// Who signed in.
    pub subscriber: SubscriberShown,
}

impl std::fmt::Debug for SignedIn {
    // A token in a log is a stolen session.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").field("subscriber", &self.subscriber.id).finish_non_exhaustive()
    }
}

/// A subscriber, to themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubscriberShown {
    /// The id.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::id))]
    pub id: SubscriberId,
    /// The own number, E.164.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::e164))]
    pub number: String,
}
