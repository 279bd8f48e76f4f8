//! What a subscriber allows, each by itself, and to whom they show a service.

use serde::{Deserialize, Serialize};

use crate::key::ContactKey;

/// A consent that is given and taken back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consent {
    /// To keep the keys of the address book and match them.
    Upload,
    /// To keep the subscribed services in step with the platform.
    Subscriptions,
    /// To compute recommendations.
    Recommendations,
}

impl Consent {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Upload, Self::Subscriptions, Self::Recommendations];

    /// The word used outside.
    pub fn word(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Subscriptions => "subscriptions",
            Self::Recommendations => "recommendations",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|consent| consent.word() == word)
    }
}

/// Who may see a shared service, always among the matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Every match.
    Matches,
    /// These, while they match.
    Only(Vec<ContactKey>),
}
