//! What can be subscribed to, and who provides it.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::locale::Localised;
use crate::money::Price;

macro_rules! slug {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads an id: 1 to 64 letters, digits, `-`, `_` or `.`.
            ///
            /// # Errors
            /// [`NotASlug`] for any other text.
            pub fn parse(text: &str) -> Result<Self, NotASlug> {
                let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
                if (1..=64).contains(&text.len()) && text.bytes().all(good) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NotASlug)
                }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotASlug;
            fn try_from(text: String) -> Result<Self, NotASlug> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(slug: $name) -> String {
                slug.0
            }
        }
    )*};
}

/// Why a text is not a catalogue id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id of the catalogue is 1 to 64 letters, digits, '-', '_' or '.'")]
pub struct NotASlug;

slug! {
    /// The id of an offering in the operator's catalogue.
    OfferingId;
    /// The id of a provider in the operator's catalogue.
    ProviderId;
    /// The id of a short-number group.
    GroupId;
}

impl From<Uuid> for GroupId {
    fn from(id: Uuid) -> Self {
        Self(id.to_string())
    }
}

/// Who stands behind a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// The operator itself.
    Own,
    /// A service provider with a contract in force between two dates.
    Designated,
    /// Anybody else.
    Other,
}

impl ProviderKind {
    /// The word used outside.
    pub fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Designated => "designated",
            Self::Other => "other",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Own, Self::Designated, Self::Other].into_iter().find(|kind| kind.word() == word)
    }
}

/// Whoever runs services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// The id.
    pub id: ProviderId,
    /// The name on the card.
    pub name: Localised,
    /// What it is on paper.
    pub kind: ProviderKind,
    /// The first day of its designation; `None`: since ever.
    pub from: Option<Date>,
    /// The last day of its designation, included; `None`: open.
    pub until: Option<Date>,
}

impl Provider {
    /// What the provider counts as on a day: a designation outside its dates is none.
    pub fn standing_on(&self, day: Date) -> ProviderKind {
        let in_force =
            self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until);
        match self.kind {
            ProviderKind::Designated if !in_force => ProviderKind::Other,
            kind => kind,
        }
    }
}

/// A service as the catalogue offers it (TM Forum: product offering).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offering {
    /// The id.
    pub id: OfferingId,
    /// Who runs it.
    pub provider: ProviderId,
    /// The name on the card.
    pub name: Localised,
    /// What it costs.
    pub price: Price,
    /// Whether it goes on by itself after each period.
    pub renews: bool,
    /// Whether it says something about a person that must not be shared.
    pub sensitive: bool,
    /// Whether it can be ordered now.
    pub active: bool,
    /// The terms on the card.
    pub terms: Localised,
    /// How to get rid of it, on the card.
    pub how_to_cancel: Localised,
    /// Offerings that nobody can have beside it.
    pub conflicts_with: Vec<OfferingId>,
    /// Goes up by one whenever any of the above changes; an order names the version it saw.
    pub version: i64,
}
