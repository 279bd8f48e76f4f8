//! Projection: which members of a resource are given.

use serde_json::{Map, Value};

/// Splits the value of `fields`.
pub fn split_fields(value: &str) -> Vec<String> {
    value.split(',').map(|field| field.trim().to_owned()).filter(|field| !field.is_empty()).collect()
}

/// Keeps the members that were asked for, such as `state` or `relatedParty.id`; `id`, `href` and those that
/// begin with `@` always stay.
pub fn project(resource: Value, fields: Option<&[String]>) -> Value {
    match (resource, fields) {
        (Value::Object(members), Some(fields)) => {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            Value::Object(keep(members, &fields, |name| {
                matches!(name, "id" | "href") || name.starts_with('@')
            }))
        }
        (whole, _) => whole,
    }
}

fn keep(members: Map<String, Value>, fields: &[&str], always: impl Fn(&str) -> bool) -> Map<String, Value> {
    let kept = members.into_iter().filter_map(|(name, value)| {
        if always(&name) || fields.contains(&name.as_str()) {
            return Some((name, value));
        }
        let below: Vec<&str> =
            fields.iter().filter_map(|field| field.strip_prefix(&name)?.strip_prefix('.')).collect();
        if below.is_empty() { None } else { Some((name, below_of(value, &below))) }
    });
    kept.collect()
}

/// The same for what stands under a member; what has no members stays as it is.
fn below_of(value: Value, fields: &[&str]) -> Value {
    match value {
        Value::Object(members) => Value::Object(keep(members, fields, |_| false)),
        Value::Array(items) => items.into_iter().map(|item| below_of(item, fields)).collect(),
        scalar => scalar,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_projection_keeps_what_was_asked_for_and_the_id() {
        let whole = json!({"id": "1", "href": "/1", "state": "held", "note": [], "@type": "X"});
        let fields = ["state".to_owned()];
        assert_eq!(
            project(whole.clone(), Some(&fields)),
            json!({"id": "1", "href": "/1", "state": "held", "@type": "X"})
        );
        assert_eq!(project(whole.clone(), None), whole);
        assert_eq!(project(whole, Some(&[])), json!({"id": "1", "href": "/1", "@type": "X"}));
    }

    #[test]
    fn a_projection_reaches_below_members_and_through_arrays() {
        let whole = json!({"id": "1", "relatedParty": [{"id": "a", "role": "x", "name": "n"}, {"id": "b"}],
            "productOffering": {"id": "o", "name": "News"}, "relatedPartyX": 7});
        let fields =
            ["relatedParty.id", "relatedParty.role", "productOffering.name.first"].map(str::to_owned);
        assert_eq!(
            project(whole.clone(), Some(&fields)),
            json!({"id": "1", "relatedParty": [{"id": "a", "role": "x"}, {"id": "b"}],
                "productOffering": {"name": "News"}})
        );
        let both = ["productOffering", "productOffering.name"].map(str::to_owned);
        assert_eq!(project(whole.clone(), Some(&both))["productOffering"], whole["productOffering"]);
    }
}
