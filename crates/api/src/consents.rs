//! `PUT, DELETE /v1/consents/{consent}`: each consent by itself.

use domain::consent::Consent;
use domain::limits;
use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// Gives the consent that the path names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GiveConsent {
    /// The version of the text that the person was shown.
    #[serde(default, alias = "text_version", deserialize_with = "text_or_integer")]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::consent_version))]
    pub version: Option<String>,
}

/// A consent given while registering: its name, or its name with the version of the text shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a consent is \"upload\", \"subscriptions\" or \"recommendations\"")]
pub enum ConsentGiven {
    /// The name alone.
    Name(Consent),
    /// The name and the text.
    Text(ConsentText),
}

/// A consent and the text it was given to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsentText {
    /// Which one.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::consent))]
    pub consent: Consent,
    /// The version of the text that the person was shown.
    #[serde(default, alias = "text_version", deserialize_with = "text_or_integer")]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::consent_version))]
    pub version: Option<String>,
}

impl ConsentGiven {
    /// Which consent it is.
    pub fn consent(&self) -> Consent {
        match self {
            Self::Name(consent) => *consent,
            Self::Text(text) => text.consent,
        }
    }

    /// The version of the text shown.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Name(_) => None,
            Self::Text(text) => text.version.as_deref(),
        }
    }
}

/// A consent in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsentShown {
    /// Which one.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::consent))]
    pub consent: Consent,
    /// Given then.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::moment))]
    pub since: Timestamp,
    /// The version of the text that the person was shown.
    pub version: Option<String>,
}

// A version is often a plain counter, and JSON writers then send a number.
fn text_or_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a version is a text or a whole number")]
    enum Version {
        Text(String),
        Integer(u32),
        // 3.0 is a whole number in JSON as 3 is.
        Float(f64),
    }
    let version = match Option::<Version>::deserialize(deserializer)? {
        Some(Version::Text(text)) => text,
        Some(Version::Integer(integer)) => integer.to_string(),
        Some(Version::Float(float))
            if float.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&float) =>
        {
            format!("{float:.0}")
        }
        Some(Version::Float(_)) => return Err(D::Error::custom("a version is a text or a whole number")),
        None => return Ok(None),
    };
    let max = limits::CONSENT_VERSION_CHARS_MAX;
    if version.chars().count() > limits::count(max) {
        return Err(D::Error::custom(format!("a version has {max} characters at most")));
    }
    Ok(Some(version))
}
