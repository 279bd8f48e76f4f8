//! The documents themselves: what a body must be, and which attributes a resource has.
//!
//! The shapes beside this module hold what is used; the documents declare far more. Bodies are checked against
//! the whole declaration, so that a member of the wrong type is refused even where nothing here reads it, and
//! a list can be filtered by whatever the document declares. Source: `documents/` in this crate.

use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// One of the documents: its definitions by name.
pub struct Document {
    text: &'static str,
    definitions: LazyLock<Map<String, Value>>,
}

macro_rules! documents {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $(
            $(#[$doc])*
            pub static $name: Document = Document {
                text: include_str!(concat!("../documents/", $file)),
                // A test reads each; one that could not be read would refuse every body.
                definitions: LazyLock::new(|| serde_json::from_str($name.text).unwrap_or_default()),
            };
        )*

        /// Every document, with the file it stands in.
        pub static ALL: &[(&str, &Document)] = &[$(($file, &$name)),*];
    };
}

documents! {
    /// TMF620 Product Catalog 4.1.0.
    CATALOGUE = "tmf620.json";
    /// TMF622 Product Ordering 4.0.0.
    ORDERING = "tmf622.json";
    /// TMF637 Product Inventory 4.0.0.
    INVENTORY = "tmf637.json";
    /// TMF632 Party 4.0.0.
    PARTY = "tmf632.json";
    /// TMF644 Privacy 4.0.0.
    PRIVACY = "tmf644.json";
    /// TMF669 Party Role 4.0.0.
    PARTY_ROLE = "tmf669.json";
    /// TMF681 Communication 4.0.0.
    COMMUNICATION = "tmf681.json";
}

/// What an attribute holds, for comparing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A number.
    Number,
    /// A truth value.
    Truth,
    /// A moment.
    Time,
    /// Anything: the document does not say.
    Anything,
    /// Members of its own: it cannot be compared, they can.
    Members,
}

/// Where a body is not what the document declares.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct Misfit {
    /// The member, as a path such as `productOrderItem.action`; empty for the whole.
    pub place: String,
    /// What is wrong with it; never its value.
    pub fault: &'static str,
}

/// A shape that comes in as a body, and what the document declares of it.
pub trait Declared {
    /// The document.
    const DOCUMENT: &'static Document;
    /// The name of the definition there.
    const DEFINITION: &'static str;
}

macro_rules! declared {
    ($($shape:ty = $document:ident $definition:literal;)*) => {
        $(impl Declared for $shape {
            const DOCUMENT: &'static Document = &$document;
            const DEFINITION: &'static str = $definition;
        })*
    };
}

declared! {
    crate::ProductOrderCreate = ORDERING "ProductOrder_Create";
    crate::CancelProductOrderCreate = ORDERING "CancelProductOrder_Create";
    crate::ProductCreate = INVENTORY "Product_Create";
    crate::CommunicationMessageCreate = COMMUNICATION "CommunicationMessage_Create";
    // One declaration in every document.
    crate::HubRequest = ORDERING "EventSubscriptionInput";
}

impl Document {
    /// The definitions by name.
    pub fn definitions(&self) -> &Map<String, Value> {
        &self.definitions
    }

    /// Checks a body against a definition. Members that begin with `@` may be absent where the document wants
    /// them: deployed clients leave them out, and nothing here needs them.
    ///
    /// # Errors
    /// [`Misfit`] names the first member at fault.
    pub fn check(&self, definition: &str, body: &Value) -> Result<(), Misfit> {
        let mut place = Vec::new();
        let Some(schema) = self.definitions.get(definition) else { return Ok(()) };
        self.fit(schema, body, &mut place).map_err(|fault| Misfit { place: place.join("."), fault })
    }

    /// Checks one member of a definition by itself; one that it does not declare is free.
    ///
    /// # Errors
    /// [`Misfit`] names the first member at fault.
    pub fn check_member(&self, definition: &str, name: &str, value: &Value) -> Result<(), Misfit> {
        let schema = self.definitions.get(definition).and_then(|schema| schema.get("properties")?.get(name));
        let mut place = vec![name];
        let fits = schema.map_or(Ok(()), |schema| self.fit(schema, value, &mut place));
        fits.map_err(|fault| Misfit { place: place.join("."), fault })
    }

    /// What the attribute of a definition holds; `None`: there is no such attribute. Arrays are passed through:
    /// `note.text` is the text of any note.
    pub fn attribute(&self, definition: &str, path: &str) -> Option<Kind> {
        let mut schema = self.resolve(self.definitions.get(definition)?);
        for name in path.split('.') {
            schema = self.resolve(schema.get("properties")?.get(name)?);
        }
        Some(match schema.get("type").and_then(Value::as_str) {
            Some("string") if schema.get("format").is_some_and(|format| format == "date-time") => Kind::Time,
            Some("string") => Kind::Text,
            Some("number" | "integer") => Kind::Number,
            Some("boolean") => Kind::Truth,
            Some(_) => Kind::Members,
            None => Kind::Anything,
        })
    }

    /// The definition that is meant: behind references, and behind arrays.
    fn resolve<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        // The documents lead from a member to its definition in two steps at most; four stops a circle.
        for _ in 0..4 {
            let named = schema.get("$ref").and_then(Value::as_str);
            let named = named.and_then(|name| self.definitions.get(name.rsplit('/').next()?));
            match named.or_else(|| schema.get("items")) {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    // The depth is that of the body, which the reader of JSON has limited.
    fn fit<'a>(
        &'a self,
        schema: &'a Value,
        value: &'a Value,
        place: &mut Vec<&'a str>,
    ) -> Result<(), &'static str> {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let named = name.rsplit('/').next().and_then(|name| self.definitions.get(name));
            return named.map_or(Ok(()), |named| self.fit(named, value, place));
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("object") => self.fit_object(schema, value, place),
            Some("array") => {
                let items = value.as_array().ok_or("must be an array")?;
                let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
                if (items.len() as u64) < least {
                    return Err("must not be empty");
                }
                let Some(schema) = schema.get("items") else { return Ok(()) };
                items.iter().try_for_each(|item| self.fit(schema, item, place))
            }
            Some("string") => fit_text(schema, value),
            Some("integer") if !is_whole(value) => Err("must be a whole number"),
            Some("number") if !value.is_number() => Err("must be a number"),
            Some("boolean") if !value.is_boolean() => Err("must be true or false"),
            _ => Ok(()),
        }
    }

    fn fit_object<'a>(
        &'a self,
        schema: &'a Value,
        value: &'a Value,
        place: &mut Vec<&'a str>,
    ) -> Result<(), &'static str> {
        let members = value.as_object().ok_or("must be an object")?;
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for name in required.filter_map(Value::as_str).filter(|name| !name.starts_with('@')) {
            if !members.contains_key(name) {
                place.push(name);
                return Err("is missing");
            }
        }
        let Some(declared) = schema.get("properties").and_then(Value::as_object) else { return Ok(()) };
        for (name, schema) in declared {
            if let Some(member) = members.get(name) {
                place.push(name);
                self.fit(schema, member, place)?;
                place.pop();
            }
        }
        Ok(())
    }
}

fn fit_text(schema: &Value, value: &Value) -> Result<(), &'static str> {
    let text = value.as_str().ok_or("must be a text")?;
    if let Some(words) = schema.get("enum").and_then(Value::as_array)
        // The documents write one of their words with a trailing blank.
        && !words.iter().filter_map(Value::as_str).any(|word| word.trim() == text.trim())
    {
        return Err("is none of the words that the document names");
    }
    match schema.get("format").and_then(Value::as_str) {
        Some("date-time") if text.parse::<Timestamp>().is_err() => Err("must be a moment, RFC 3339"),
        Some("uri") if !is_uri(text) => Err("must be a URI"),
        _ => Ok(()),
    }
}

fn is_whole(value: &Value) -> bool {
    // JSON has one kind of number: 1.0 is whole.
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// A scheme and more. Source: RFC 3986, section 3.
fn is_uri(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_is_checked_down_to_members_that_nothing_reads() {
        let order = |item: Value| json!({"productOrderItem": [item], "relatedParty": [{"id": "x"}]});
        let check =
            |body: &Value| ORDERING.check("ProductOrder_Create", body).map_err(|misfit| misfit.to_string());
        assert_eq!(check(&order(json!({"id": "1", "action": "add", "quantity": 2}))), Ok(()));
        let cases = [
            (json!([]), ": must be an object"),
            (json!({}), "productOrderItem: is missing"),
            (json!({"productOrderItem": []}), "productOrderItem: must not be empty"),
            (order(json!({"id": "1"})), "productOrderItem.action: is missing"),
            (
                order(json!({"id": "1", "action": "buy"})),
                "productOrderItem.action: is none of the words that the document names",
            ),
            (
                order(json!({"id": "1", "action": "add", "quantity": "2"})),
                "productOrderItem.quantity: must be a whole number",
            ),
            (
                order(json!({"id": "1", "action": "add", "product": {"startDate": "today"}})),
                "productOrderItem.product.startDate: must be a moment, RFC 3339",
            ),
            (
                order(json!({"id": "1", "action": "add", "@schemaLocation": "here"})),
                "productOrderItem.@schemaLocation: must be a URI",
            ),
            (order(json!(null)), "productOrderItem: must be an object"),
        ];
        for (body, fault) in cases {
            assert_eq!(check(&body), Err(fault.to_owned()), "{body}");
        }
    }

    #[test]
    fn an_attribute_is_one_that_the_document_declares() {
        let kind = |path| ORDERING.attribute("ProductOrder", path);
        assert_eq!(kind("state"), Some(Kind::Text));
        assert_eq!(kind("orderDate"), Some(Kind::Time));
        assert_eq!(kind("relatedParty"), Some(Kind::Members));
        assert_eq!(kind("relatedParty.id"), Some(Kind::Text));
        assert_eq!(kind("productOrderItem.quantity"), Some(Kind::Number));
        assert_eq!(kind("productOrderItem.product.isBundle"), Some(Kind::Truth));
        assert_eq!(kind("productOrderItem.product.productCharacteristic.value"), Some(Kind::Anything));
        for none in ["colour", "", ".", "state.x", "relatedParty.colour"] {
            assert_eq!(kind(none), None, "{none}");
        }
    }

    /// The document beside the workspace that an excerpt was taken from.
    fn whole(file: &str) -> Option<Value> {
        let number = file.trim_start_matches("tmf").trim_end_matches(".json");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/specs/tmforum");
        let mut files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
        let path = files.find(|path| path.to_string_lossy().contains(&format!("TMF{number}-")))?;
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// Leaves out what an excerpt leaves out.
    fn bare(schema: &Value) -> Value {
        let Value::Object(members) = schema else { return schema.clone() };
        let kept = members.iter().filter(|(name, _)| {
            !["description", "example", "title", "discriminator"].contains(&name.as_str())
        });
        let bared = kept.map(|(name, value)| {
            let value = match (name.as_str(), value) {
                ("properties", Value::Object(properties)) => {
                    properties.iter().map(|(name, schema)| (name.clone(), bare(schema))).collect()
                }
                (_, value) => bare(value),
            };
            (name.clone(), value)
        });
        Value::Object(bared.collect())
    }

    #[test]
    fn the_excerpts_say_what_the_documents_say() {
        for (file, excerpt) in ALL {
            assert!(!excerpt.definitions().is_empty(), "{file} cannot be read");
            let Some(document) = whole(file) else {
                assert!(std::env::var_os("CI").is_none(), "the shared documents are missing");
                eprintln!("skipped: the TM Forum documents are not beside the workspace");
                return;
            };
            for (name, schema) in excerpt.definitions() {
                assert_eq!(&bare(schema), &bare(&document["definitions"][name]), "{file}: {name}");
            }
        }
    }
}
