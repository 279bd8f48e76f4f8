//! Languages, and words kept in several.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The language a person is addressed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Locale {
    /// Simplified Chinese.
    #[default]
    #[serde(rename = "zh-CN")]
    Chinese,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Locale {
    /// The tag used outside (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// The language nearest to a tag: any `zh` is Chinese, anything else English.
    pub fn nearest(tag: &str) -> Self {
        if tag.to_ascii_lowercase().starts_with("zh") { Self::Chinese } else { Self::English }
    }
}

/// One text in one or more languages, never empty when read from a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Localised(pub BTreeMap<String, String>);

impl Localised {
    /// The text in a language; a missing one falls back to English, then to whichever there is.
    pub fn text(&self, locale: Locale) -> &str {
        let fallback = || self.0.get("en").or_else(|| self.0.values().next());
        self.0.get(locale.tag()).or_else(fallback).map_or("", String::as_str)
    }

    /// Whether it says nothing in any language.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(|text| text.trim().is_empty())
    }
}
