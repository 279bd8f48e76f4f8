//! The rules of a list's query. Source: TMF630 part 1, "Query resources".

use serde_json::Value;

/// A list's query, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListQuery {
    /// How many items to leave out at the start.
    pub offset: usize,
    /// How many items at most.
    pub limit: usize,
    /// Which members to give; `None`: all.
    pub fields: Option<Vec<String>>,
    /// Each filter with its values, one of which must fit.
    pub filters: Vec<(String, Vec<String>)>,
}

/// Why a query cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A key that means nothing here.
    #[error("the query key '{0}' is not known here; leave it out")]
    UnknownKey(String),
    /// `offset` or `limit`.
    #[error("'{0}' must be a whole number, 0 or more")]
    NotACount(&'static str),
}

impl ListQuery {
    /// Reads a query's pairs; `filters` are the keys that this list can filter by.
    ///
    /// # Errors
    /// [`QueryError`] names the key.
    pub fn read(
        pairs: Vec<(String, String)>,
        filters: &[&str],
        default_limit: usize,
        max_limit: usize,
    ) -> Result<Self, QueryError> {
        let mut query = Self { limit: default_limit, ..Self::default() };
        for (key, value) in pairs {
            match key.as_str() {
                "offset" => query.offset = value.parse().map_err(|_| QueryError::NotACount("offset"))?,
                "limit" => {
                    let limit: usize = value.parse().map_err(|_| QueryError::NotACount("limit"))?;
                    query.limit = limit.min(max_limit);
                }
                "fields" => query.fields = Some(split_fields(&value)),
                other if filters.contains(&other) => query.add_filter(key, value),
                // The key is the caller's own text and may be anything: it is cut before it is repeated.
                _ => return Err(QueryError::UnknownKey(key.chars().take(64).collect())),
            }
        }
        Ok(query)
    }

    fn add_filter(&mut self, key: String, value: String) {
        // `state=a,b` and `state=a&state=b` are the same question.
        let values = value.split(',').map(str::to_owned);
        match self.filters.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => known.extend(values),
            None => self.filters.push((key, values.collect())),
        }
    }

    /// The values asked for under a filter; `None`: the filter is not set.
    pub fn filter(&self, key: &str) -> Option<&[String]> {
        self.filters.iter().find(|(known, _)| known == key).map(|(_, values)| values.as_slice())
    }
}

/// Splits the value of `fields`.
pub fn split_fields(value: &str) -> Vec<String> {
    value.split(',').map(|field| field.trim().to_owned()).filter(|field| !field.is_empty()).collect()
}

/// Keeps the members that were asked for; `id`, `href` and those that begin with `@` always stay.
pub fn project(resource: Value, fields: Option<&[String]>) -> Value {
    match (resource, fields) {
        (Value::Object(members), Some(fields)) => {
            let kept = |name: &str| {
                matches!(name, "id" | "href")
                    || name.starts_with('@')
                    || fields.iter().any(|field| field == name)
            };
            Value::Object(members.into_iter().filter(|(name, _)| kept(name)).collect())
        }
        (whole, _) => whole,
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
    use serde_json::json;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ListQuery, QueryError> {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        ListQuery::read(pairs, &["state"], 100, 500)
    }

    #[test]
    fn a_query_is_read_and_an_unknown_key_is_named() {
        let query = read(&[
            ("offset", "2"),
            ("limit", "9999"),
            ("fields", "id, state"),
            ("state", "a,b"),
            ("state", "c"),
        ]);
        let query = query.unwrap();
        assert_eq!((query.offset, query.limit), (2, 500));
        assert_eq!(query.fields.as_deref(), Some(["id".to_owned(), "state".to_owned()].as_slice()));
        assert_eq!(query.filter("state").unwrap(), ["a", "b", "c"]);
        assert_eq!(read(&[("colour", "red")]), Err(QueryError::UnknownKey("colour".to_owned())));
        assert_eq!(read(&[("limit", "-1")]), Err(QueryError::NotACount("limit")));
    }

    #[test]
    fn a_projection_keeps_what_was_asked_for_and_the_id() {
        let whole = json!({"id": "1", "href": "/1", "state": "held", "note": [], "@type": "X"});
        let fields = ["state".to_owned()];
        assert_eq!(
            project(whole.clone(), Some(&fields)),
            json!({"id": "1", "href": "/1", "state": "held", "@type": "X"})
        );
        assert_eq!(project(whole.clone(), None), whole);
    }

    #[test]
    fn a_number_in_a_query_keeps_its_plus() {
        assert_eq!(escape("+86138/中"), "%2B86138%2F%E4%B8%AD");
    }
}
