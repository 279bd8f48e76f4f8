//! `[[operator.tokens]]`: tokens with a name and scopes.

use edge::operator::Scope;
use secrecy::SecretString;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The operator's people.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Operator {
    /// Their tokens.
    pub(crate) tokens: Vec<NamedToken>,
}

/// One of them: in the file a table with `name`, `token` and `scopes`; in a flag or a variable
/// `name=scope+scope=token`.
#[derive(Debug, Clone)]
pub(crate) struct NamedToken {
    /// What stands in the audit log.
    pub(crate) name: String,
    /// The token.
    pub(crate) token: SecretString,
    /// What it allows.
    pub(crate) scopes: Vec<Scope>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    token: SecretString,
    scopes: Vec<String>,
}

/// Long enough for a department, short enough for a log.
const NAME_CHARS_MAX: usize = 40;

impl<'de> Deserialize<'de> for NamedToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = NamedToken;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("name, token and scopes")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NamedToken, A::Error> {
                let Table { name, token, scopes } = Table::deserialize(MapAccessDeserializer::new(map))?;
                read(name, token, scopes.iter().map(String::as_str)).map_err(A::Error::custom)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<NamedToken, E> {
                // What does not fit is not repeated: a token stands in it.
                let mut parts = text.splitn(3, '=');
                let (Some(name), Some(scopes), Some(token)) = (parts.next(), parts.next(), parts.next())
                else {
                    return Err(E::custom("one is not name=scope+scope=token"));
                };
                read(name.to_owned(), SecretString::from(token), scopes.split('+')).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

fn read<'a>(
    name: String,
    token: SecretString,
    scopes: impl Iterator<Item = &'a str>,
) -> Result<NamedToken, String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if !(1..=NAME_CHARS_MAX).contains(&name.len()) || !name.bytes().all(good) {
        return Err(format!("a name must be 1 to {NAME_CHARS_MAX} letters, digits, '-', '_' or '.'"));
    }
    let read = |word: &str| {
        let words: Vec<_> = Scope::ALL.iter().map(|scope| scope.word()).collect();
        let unknown = || format!("the token {name} has the scope {word}, and there are {}", words.join(", "));
        Scope::parse(word).ok_or_else(unknown)
    };
    let scopes = scopes.map(read).collect::<Result<Vec<_>, _>>()?;
    if scopes.is_empty() {
        return Err(format!("the token {name} has no scope, so it would allow nothing"));
    }
    Ok(NamedToken { name, token, scopes })
}
