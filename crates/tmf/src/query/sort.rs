//! Sorting: `sort=-a,b`.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::filter::text_of;
use super::{QueryError, Resource, shown, values_at};
use crate::document::Kind;

/// An attribute to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    path: String,
    kind: Kind,
    /// The largest first.
    descending: bool,
}

/// Reads the value of `sort`.
pub(super) fn read(value: &str, resource: &Resource) -> Result<Vec<SortKey>, QueryError> {
    let keys = value.split(',').map(str::trim).filter(|key| !key.is_empty());
    let read = keys.map(|key| {
        // An unescaped `+` arrives as a blank and is gone by now.
        let (descending, path) = match key.strip_prefix('-') {
            Some(path) => (true, path),
            None => (false, key.strip_prefix('+').unwrap_or(key)),
        };
        match resource.attribute(path) {
            None => Err(QueryError::UnknownKey(shown(path))),
            Some(Kind::Members) => Err(QueryError::Members(shown(path))),
            Some(kind) => Ok(SortKey { path: path.to_owned(), kind, descending }),
        }
    });
    read.collect()
}

/// Which of two resources comes first; one without the attribute comes last either way.
pub(super) fn compare(keys: &[SortKey], a: &Value, b: &Value) -> Ordering {
    let orders = keys.iter().map(|key| {
        let (a, b) = (first(a, &key.path), first(b, &key.path));
        let (Some(a), Some(b)) = (a, b) else { return a.is_none().cmp(&b.is_none()) };
        let order = key.order(a, b);
        if key.descending { order.reverse() } else { order }
    });
    orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

impl SortKey {
    fn order(&self, a: &Value, b: &Value) -> Ordering {
        match self.kind {
            Kind::Number => a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0)),
            Kind::Time => time(a).cmp(&time(b)),
            _ => text_of(a).cmp(&text_of(b)),
        }
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn first<'a>(resource: &'a Value, path: &str) -> Option<&'a Value> {
    let mut found = None;
    values_at(resource, path, &mut |value| {
        found = Some(value);
        true
    });
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::ListQuery;
    use super::super::resources::PRODUCT;

    #[test]
    fn resources_are_sorted_by_one_attribute_and_then_by_the_next() {
        let product = |id: &str, status: &str, start: Option<&str>| {
            let mut product = json!({"id": id, "status": status});
            if let Some(start) = start {
                product["startDate"] = json!(start);
            }
            product
        };
        let products = [
            product("1", "active", Some("2026-01-01T00:00:00.5Z")),
            product("2", "terminated", Some("2026-01-01T00:00:00Z")),
            product("3", "active", None),
            product("4", "active", Some("2027-01-01T00:00:00Z")),
        ];
        for (sort, order) in [
            ("id", "1234"),
            ("-id", "4321"),
            ("startDate", "2143"),
            ("-startDate", "4123"),
            ("status,-id", "4312"),
            ("-status, startDate", "2143"),
            ("+name", "1234"),
        ] {
            let query = ListQuery::read(vec![("sort".to_owned(), sort.to_owned())], &PRODUCT, 1, 1).unwrap();
            let mut sorted = products.to_vec();
            query.sort(&mut sorted);
            let ids: String = sorted.iter().map(|product| product["id"].as_str().unwrap()).collect();
            assert_eq!(ids, order, "{sort}");
        }
    }
}
