//! What a terminal remembers between two runs: plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use domain::Msisdn;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::carddav::Mirror;

/// Everything a terminal remembers. It holds a token and numbers: keep it readable by its owner alone.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The server's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The token of this device, while signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The person's own number.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_number")]
    pub number: Option<Msisdn>,
    /// What the server is known to hold of the book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub book: Option<SyncedBook>,
    /// The serial number of the newest backup that this terminal has made or seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<u64>,
    /// What was pulled from the person's own CardDAV server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carddav: Option<Mirror>,
    /// The keys of taps that the server has not answered yet, by share: a retry is the same order.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub taps: BTreeMap<String, String>,
}

/// What this device has delivered of the book.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncedBook {
    /// The version that the book had when this was acknowledged.
    pub version: i64,
    /// Numbers delivered and not taken away since.
    #[serde(with = "numbers")]
    pub numbers: BTreeSet<Msisdn>,
    /// Numbers that were sent and not answered: they may be there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "numbers")]
    pub unsure: BTreeSet<Msisdn>,
    /// Whether the server's book holds nothing else.
    pub complete: bool,
}

impl State {
    /// Remembers a sign-in. What was known of a book before is forgotten: it may have been another's,
    /// or erased since, and a full upload always works.
    pub fn sign_in(&mut self, server: &str, token: &str, number: Msisdn) {
        *self = Self {
            server: Some(server.to_owned()),
            token: Some(token.to_owned()),
            number: Some(number),
            ..Self::default()
        };
    }

    /// Forgets the person; the server's address stays.
    pub fn sign_out(&mut self) {
        *self = Self { server: self.server.take(), ..Self::default() };
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signed_in = self.token.is_some();
        write!(f, "State(server {:?}, signed in {signed_in}, {:?})", self.server, self.book)
    }
}

impl fmt::Debug for SyncedBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, numbers, complete, .. } = self;
        write!(f, "SyncedBook(version {version}, {} numbers, complete {complete})", numbers.len())
    }
}

mod numbers {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        numbers: &BTreeSet<Msisdn>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(numbers.iter().map(|number| number.e164()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeSet<Msisdn>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| Msisdn::parse_e164(text).map_err(serde::de::Error::custom)).collect()
    }
}

mod optional_number {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        number: &Option<Msisdn>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        number.map(Msisdn::e164).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Msisdn>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| Msisdn::parse_e164(&text).map_err(serde::de::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let number = Msisdn::parse_e164("+8613800000001").unwrap();
        let mut state = State::default();
        state.sign_in("http://127.0.0.1:8080", "secret-token", number);
        state.book = Some(SyncedBook {
            version: 3,
            numbers: BTreeSet::from([number]),
            complete: true,
            ..SyncedBook::default()
        });
        state.taps.insert("share".to_owned(), "key".to_owned());
        state
    }

    #[test]
    fn what_is_remembered_comes_back() {
        for state in [State::default(), state()] {
            let text = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
        }
    }

    #[test]
    fn neither_token_nor_numbers_print() {
        let text = format!("{:?}", state());
        assert!(!text.contains("secret") && !text.contains("138"), "{text}");
    }

    #[test]
    fn signing_in_and_out_forgets_the_book_and_the_taps() {
        let mut state = state();
        state.sign_out();
        assert_eq!(state, State { server: Some("http://127.0.0.1:8080".to_owned()), ..State::default() });
    }
}
