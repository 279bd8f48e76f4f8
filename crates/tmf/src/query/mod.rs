//! The rules of a list's query. Source: TMF630 part 1, "Query resources".

mod filter;
mod project;
mod sort;

use serde_json::Value;

use crate::document::{Document, Kind};
pub use filter::{Comparison, Filter};
pub use project::{project, split_fields};
pub use sort::SortKey;

/// What a list holds: the attributes that its resources have.
#[derive(Clone, Copy)]
pub struct Resource {
    /// The document that declares it.
    pub document: &'static Document,
    /// The name of its definition there.
    pub definition: &'static str,
    /// Attributes that the document has no place for, which are ours.
    pub more: &'static [(&'static str, Kind)],
}

/// Every kind of resource that is listed.
pub mod resources {
    use super::Resource;
    use crate::document::{self, Kind};

    macro_rules! resources {
        ($($(#[$doc:meta])* $name:ident = $document:ident $definition:literal [$($more:literal $kind:ident),*];)*) => {
            $(
                $(#[$doc])*
                pub const $name: Resource = Resource {
                    document: &document::$document,
                    definition: $definition,
                    more: &[$(($more, Kind::$kind)),*],
                };
            )*
        };
    }

    resources! {
        /// TMF620.
        PRODUCT_OFFERING = CATALOGUE "ProductOffering" ["relatedParty.id" Text, "relatedParty.name" Text,
            "relatedParty.role" Text, "relatedParty.providerKind" Text];
        /// TMF622.
        PRODUCT_ORDER = ORDERING "ProductOrder" ["relatedParty.preferredLanguage" Text,
            "productOrderItem.productOffering.version" Text];
        /// TMF622.
        CANCEL_PRODUCT_ORDER = ORDERING "CancelProductOrder" [];
        /// TMF637.
        PRODUCT = INVENTORY "Product" [];
        /// TMF681.
        COMMUNICATION_MESSAGE = COMMUNICATION "CommunicationMessage" [];
        /// TMF632.
        INDIVIDUAL = PARTY "Individual" [];
        /// TMF669.
        PARTY_ROLE = PARTY_ROLE "PartyRole" [];
        /// TMF644.
        PARTY_PRIVACY_AGREEMENT = PRIVACY "PartyPrivacyAgreement" [];
    }
}

impl Resource {
    /// What an attribute holds; `None`: there is no such attribute.
    pub fn attribute(&self, path: &str) -> Option<Kind> {
        let ours = self.more.iter().find(|(name, _)| *name == path).map(|(_, kind)| *kind);
        ours.or_else(|| self.document.attribute(self.definition, path))
    }
}

/// A list's query, read.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// How many items to leave out at the start.
    pub offset: usize,
    /// How many items at most.
    pub limit: usize,
    /// Which members to give; `None`: all.
    pub fields: Option<Vec<String>>,
    /// What must hold, all of it.
    pub filters: Vec<Filter>,
    /// By what to sort, the first first.
    pub sort: Vec<SortKey>,
}

/// The most filters and sort keys of one query: more than anybody asks, and a bound for the work.
const PARTS_MAX: usize = 32;

/// Why a query cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A key that means nothing here.
    #[error("the query key '{0}' is not known here; leave it out, or name an attribute of this resource")]
    UnknownKey(String),
    /// `offset` or `limit`.
    #[error("'{0}' must be a whole number, 0 or more")]
    NotACount(&'static str),
    /// An attribute that has members and no value of its own.
    #[error("'{0}' has members; name one of them, as in '{0}.id'")]
    Members(String),
    /// A value that the attribute cannot have.
    #[error("the value of '{0}' must be {1}")]
    Value(String, &'static str),
    /// A regular expression that is none, or too large.
    #[error("the regular expression of '{0}' cannot be read, or is too large")]
    Expression(String),
    /// More filters or sort keys than anybody asks.
    #[error("a query may have 32 filters and sort keys at most")]
    TooMany,
}

impl ListQuery {
    /// Reads a query's pairs.
    ///
    /// # Errors
    /// [`QueryError`] names the key.
    pub fn read(
        pairs: Vec<(String, String)>,
        resource: &Resource,
        default_limit: usize,
        max_limit: usize,
    ) -> Result<Self, QueryError> {
        let mut query = Self { limit: default_limit, ..Self::default() };
        for (key, value) in pairs {
            match key.as_str() {
                "offset" => query.offset = read_count("offset", &value)?,
                "limit" => query.limit = read_count("limit", &value)?.min(max_limit),
                "fields" => query.fields.get_or_insert_default().extend(split_fields(&value)),
                "sort" => query.sort.extend(sort::read(&value, resource)?),
                _ => filter::add(&mut query.filters, &key, &value, resource)?,
            }
            if query.filters.len() + query.sort.len() > PARTS_MAX {
                return Err(QueryError::TooMany);
            }
        }
        Ok(query)
    }

    /// Whether offset and limit are all there is left to do.
    pub fn is_plain(&self) -> bool {
        self.filters.is_empty() && self.sort.is_empty()
    }

    /// Whether a resource fits every filter.
    pub fn fits(&self, resource: &Value) -> bool {
        self.filters.iter().all(|filter| filter.fits(resource))
    }

    /// Puts resources into the order asked for; those alike stay as they were.
    pub fn sort(&self, resources: &mut [Value]) {
        if !self.sort.is_empty() {
            resources.sort_by(|a, b| sort::compare(&self.sort, a, b));
        }
    }

    /// Takes out the filter that an attribute equals one of some values, for a store that can find them by
    /// itself, if each of them can be read.
    pub fn take_each<T>(&mut self, path: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        let place = self.equals(path)?;
        let read: Option<Vec<T>> = self.filters[place].values().iter().map(|value| parse(value)).collect();
        read.inspect(|_| drop(self.filters.remove(place)))
    }

    /// The same for an attribute which has no value that cannot be read: such a one fits nothing.
    pub fn take_known<T>(&mut self, path: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        let place = self.equals(path)?;
        let filter = self.filters.remove(place);
        Some(filter.values().iter().filter_map(|value| parse(value)).collect())
    }

    fn equals(&self, path: &str) -> Option<usize> {
        self.filters
            .iter()
            .position(|filter| filter.path() == path && filter.comparison() == Comparison::Equal)
    }
}

fn read_count(key: &'static str, value: &str) -> Result<usize, QueryError> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(QueryError::NotACount(key));
    }
    // A number too large to be one here is as good as the largest: nothing is there.
    Ok(value.parse().unwrap_or(usize::MAX))
}

/// A key as it may be repeated: the caller's own text, which may be anything, is cut.
fn shown(key: &str) -> String {
    key.chars().take(64).collect()
}

/// The scalar values at a path, through arrays.
fn values_at<'a>(value: &'a Value, path: &str, visit: &mut impl FnMut(&'a Value) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| values_at(item, path, visit)),
        Value::Object(members) => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            members.get(name).is_some_and(|member| values_at(member, rest, visit))
        }
        Value::Null => false,
        scalar => path.is_empty() && visit(scalar),
    }
}

/// Writes a text so that it can stand in a query or a path segment. Source: RFC 3986, section 2.3.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ListQuery, QueryError> {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        ListQuery::read(pairs, &resources::PRODUCT_ORDER, 100, 500)
    }

    #[test]
    fn a_query_is_read_and_an_unknown_key_is_named() {
        let mut query = read(&[
            ("offset", "2"),
            ("limit", "9999"),
            ("fields", "id, state"),
            ("fields", "note.text"),
            ("state", "a,b"),
            ("state", "c"),
        ])
        .unwrap();
        assert_eq!((query.offset, query.limit), (2, 500));
        assert_eq!(query.fields.as_deref().unwrap(), ["id", "state", "note.text"]);
        let word = |word: &str| Some(word.to_owned());
        assert_eq!(query.take_each("state", word).unwrap(), ["a", "b", "a,b", "c"]);
        assert!(query.is_plain());
        let error = |pairs: &[(&str, &str)]| read(pairs).unwrap_err();
        assert_eq!(error(&[("colour", "red")]), QueryError::UnknownKey("colour".to_owned()));
        assert_eq!(error(&[("state.colour", "red")]), QueryError::UnknownKey("state.colour".to_owned()));
        assert_eq!(error(&[("sort", "-colour")]), QueryError::UnknownKey("colour".to_owned()));
        assert_eq!(error(&[("sort", "note")]), QueryError::Members("note".to_owned()));
        for none in ["-1", "", "+1", "1.5", "x"] {
            assert_eq!(error(&[("limit", none)]), QueryError::NotACount("limit"));
        }
        assert_eq!(read(&[("offset", &"9".repeat(40))]).unwrap().offset, usize::MAX);
        assert_eq!(error(&[("relatedParty", "x")]), QueryError::Members("relatedParty".to_owned()));
        assert_eq!(error(&vec![("sort", "id,id,id,id"); 9]), QueryError::TooMany);
    }

    #[test]
    fn a_filter_that_the_store_can_use_is_taken_out_only_when_each_value_can_be_read() {
        let mut query = read(&[("externalId", "7,x"), ("state.regex", "^a")]).unwrap();
        let number = |text: &str| text.parse::<u8>().ok();
        assert_eq!(query.take_each("externalId", number), None);
        assert_eq!(query.filters.len(), 2);
        assert_eq!(query.take_known("externalId", number), Some(vec![7]));
        assert_eq!(query.take_known("state", number), None);
        assert_eq!(query.filters.len(), 1);
    }

    #[test]
    fn a_number_in_a_query_keeps_its_plus() {
        assert_eq!(escape("+86138/中"), "%2B86138%2F%E4%B8%AD");
    }
}
