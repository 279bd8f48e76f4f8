//! What serde says about a fault, turned into words for the sender.

use std::collections::BTreeSet;

use serde::de::value::{Error as Fault, MapDeserializer};
use serde::de::{DeserializeOwned, Error as _};

/// A fault as a field and what is wrong with it.
///
/// Serde quotes the value it stumbled on, and a value may be somebody's number: only what was
/// expected is passed on, and names of fields.
pub(crate) fn describe(parent: &str, message: &str) -> (String, String) {
    let message = without_position(message);
    let quoted = |prefix: &str| message.strip_prefix(prefix)?.split('`').next();
    if let Some(name) = quoted("unknown field `") {
        // Cut only once it is joined: the path may end with that very name.
        return (shortened(&join(parent, name)), "is not a field of this request".to_owned());
    }
    if let Some(name) = quoted("missing field `") {
        return (join(parent, name), "is missing".to_owned());
    }
    if let Some(name) = quoted("duplicate field `") {
        return (join(parent, name), "stands there twice".to_owned());
    }
    let values = ["invalid type:", "invalid value:", "invalid length", "unknown variant"];
    let detail = if values.iter().any(|prefix| message.starts_with(prefix)) {
        let expected = message.rsplit_once("expected ").map_or("something else", |(_, expected)| expected);
        format!("must be {}", plain(expected))
    } else {
        message.to_owned()
    };
    (parent.to_owned(), detail)
}

/// The names of Rust types mean nothing to the sender.
fn plain(expected: &str) -> &str {
    match expected.split(' ').next().unwrap_or_default() {
        "struct" | "map" => "an object",
        "i64" | "u64" | "i32" | "u32" | "u16" | "usize" => "a whole number",
        _ => match expected {
            "a map" => "an object",
            "a sequence" => "a list",
            other => other,
        },
    }
}

// serde_json ends its messages with the place, which means nothing inside a value read by parts.
fn without_position(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |at| message.get(..at).unwrap_or(message))
}

fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

fn join(parent: &str, name: &str) -> String {
    match parent {
        "" | "." => name.to_owned(),
        // Serde names an unknown field sometimes by its own path and sometimes by its parent's.
        _ if parent == name || parent.ends_with(&format!(".{name}")) => parent.to_owned(),
        _ => format!("{parent}.{name}"),
    }
}

/// Reads a flat query into a shape; a fault names its key and what is wrong with it.
pub(crate) fn from_pairs<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, (String, String)> {
    let mut seen = BTreeSet::new();
    if let Some((key, _)) = pairs.iter().find(|(key, _)| !seen.insert(key.as_str())) {
        return Err((shortened(key), "stands there twice".to_owned()));
    }
    let map: MapDeserializer<'_, _, Fault> =
        MapDeserializer::new(pairs.into_iter().map(|(key, value)| (key, QueryValue(value))));
    serde_path_to_error::deserialize(map).map_err(|error| {
        let parent = error.path().to_string();
        describe(&parent, &error.into_inner().to_string())
    })
}

/// A query value: a text that also reads as a number or a truth value where one is wanted.
struct QueryValue(String);

impl<'de> serde::de::IntoDeserializer<'de, Fault> for QueryValue {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> serde::Deserializer<'de> for QueryValue {
    type Error = Fault;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0.as_str() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(Self::Error::custom("must be true or false")),
        }
    }

    fn deserialize_u32<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u64<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let number = self.0.parse().map_err(|_| Self::Error::custom("must be a whole number"))?;
        visitor.visit_u64(number)
    }

    fn deserialize_i64<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let number = self.0.parse().map_err(|_| Self::Error::custom("must be a whole number"))?;
        visitor.visit_i64(number)
    }

    fn deserialize_enum<V: serde::de::Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        use serde::de::IntoDeserializer;
        let text: serde::de::value::StringDeserializer<Self::Error> = self.0.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_newtype_struct<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 u8 u16 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_never_repeated() {
        let (field, detail) = describe(
            "numbers[0]",
            "invalid type: integer `13800000001`, expected a string at line 1 column 9",
        );
        assert_eq!((field.as_str(), detail.as_str()), ("numbers[0]", "must be a string"));
    }

    #[test]
    fn names_of_types_are_not_told() {
        assert_eq!(describe("a", "invalid type: map, expected a sequence").1, "must be a list");
        assert_eq!(describe("a", "invalid type: null, expected struct Inner").1, "must be an object");
        assert_eq!(describe("a", "invalid type: string \"1\", expected u32").1, "must be a whole number");
    }

    #[test]
    fn names_of_fields_are_told() {
        assert_eq!(describe(".", "missing field `code` at line 1 column 2").0, "code");
        assert_eq!(describe("a", "unknown field `b`, expected `c`").0, "a.b");
        assert_eq!(describe("a.b", "unknown field `b`, expected `c`").0, "a.b");
        let long = "b".repeat(1000);
        let (field, _) = describe(&long, &format!("unknown field `{long}`, expected `c`"));
        assert_eq!(field, long[..64]);
    }
}
