//! What every list and every single resource has in common: query, paging, projection, body.

use std::str::FromStr;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::{Msisdn, limits};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::StoreError;
use store::platform::PlatformView;
use tmf::document::{Declared, Document};
use tmf::query::{ListQuery, Resource, project, split_fields};

use crate::refusal::Refusal;

/// A query's pairs, or why axum could not read them.
pub(crate) type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// Rows read at once where all must be looked through.
const ROWS_A_READ: usize = 1_000;

/// Reads a list's query.
pub(crate) fn read_query(pairs: Pairs, resource: &Resource) -> Result<ListQuery, Refusal> {
    let Query(pairs) = pairs.map_err(|_| Refusal::query("the query is not key=value pairs"))?;
    let (default, most) = (limits::count(limits::PAGE_ITEMS_DEFAULT), limits::count(limits::PAGE_ITEMS_MAX));
    ListQuery::read(pairs, resource, default, most).map_err(|error| Refusal::query(error.to_string()))
}

/// Reads the query of a single resource: `fields` alone.
pub(crate) fn read_fields(pairs: Pairs) -> Result<Option<Vec<String>>, Refusal> {
    let Query(pairs) = pairs.map_err(|_| Refusal::query("the query is not key=value pairs"))?;
    let mut fields: Option<Vec<String>> = None;
    for (key, value) in pairs {
        if key != "fields" {
            return Err(Refusal::query("only 'fields' is known here; leave the other keys out"));
        }
        fields.get_or_insert_default().extend(split_fields(&value));
    }
    Ok(fields)
}

/// Reads a customer's id: an E.164 number.
pub(crate) fn read_customer(id: &str) -> Option<Msisdn> {
    // An unescaped `+` arrives as a blank; no number begins with one.
    Msisdn::parse_e164(&id.replacen(' ', "+", 1)).ok()
}

/// The keys of numbers.
pub(crate) fn keys(
    view: &PlatformView<'_>,
    numbers: Option<&[Msisdn]>,
) -> Option<Vec<domain::key::ContactKey>> {
    numbers.map(|numbers| numbers.iter().map(|number| view.key_of(*number)).collect())
}

/// A page of a list with its counts.
pub(crate) struct Page {
    items: Vec<Value>,
    total: usize,
}

impl Page {
    /// Fetches a page of what a store lists by offset and limit, with how many there are in all. What is left of
    /// the query to filter or to sort is done here, over `limits::LIST_SCAN_MAX` resources at most.
    pub(crate) fn fetch<T: Serialize>(
        query: &ListQuery,
        mut list: impl FnMut(usize, usize) -> Result<(Vec<T>, i64), StoreError>,
    ) -> Result<Self, Refusal> {
        let fields = query.fields.as_deref();
        if query.is_plain() {
            let (items, total) = list(query.offset, query.limit)?;
            let items = items.iter().map(|item| whole_or_part(item, fields)).collect();
            return Ok(Self { items, total: usize::try_from(total).unwrap_or(0) });
        }
        let (mut fitting, mut looked) = (Vec::new(), 0);
        loop {
            let (items, total) = list(looked, ROWS_A_READ)?;
            if total > limits::LIST_SCAN_MAX {
                return Err(Refusal::query(
                    "this filter or order would have to look through too many resources; name a customer, a state \
                     or an offering as well",
                ));
            }
            looked += items.len();
            let done = items.len() < ROWS_A_READ;
            let values = items.iter().map(|item| whole_or_part(item, None));
            fitting.extend(values.filter(|value| query.fits(value)));
            if done {
                break;
            }
        }
        query.sort(&mut fitting);
        let total = fitting.len();
        let page = fitting.into_iter().skip(query.offset).take(query.limit);
        Ok(Self { items: page.map(|item| project(item, fields)).collect(), total })
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let counts = [
            (HeaderName::from_static("x-total-count"), HeaderValue::from(self.total)),
            (HeaderName::from_static("x-result-count"), HeaderValue::from(self.items.len())),
        ];
        (counts, Json(self.items)).into_response()
    }
}

/// One resource.
pub(crate) fn one<T: Serialize>(item: &T, fields: Option<&[String]>) -> Response {
    Json(whole_or_part(item, fields)).into_response()
}

/// There is nothing more to say. The documents name a media type for every answer, and those who hold answers against
/// them look for it here too.
pub(crate) struct Gone;

impl IntoResponse for Gone {
    fn into_response(self) -> Response {
        (StatusCode::NO_CONTENT, [(header::CONTENT_TYPE, "application/json")]).into_response()
    }
}

/// A resource that was made just now.
pub(crate) fn created<T: Serialize>(item: &T, location: &str) -> Response {
    let mut response = (StatusCode::CREATED, Json(whole_or_part(item, None))).into_response();
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn whole_or_part<T: Serialize>(item: &T, fields: Option<&[String]>) -> Value {
    // Our shapes hold nothing that JSON cannot carry.
    project(serde_json::to_value(item).unwrap_or(Value::Null), fields)
}

/// A resource as JSON.
pub(crate) fn to_value<T: Serialize>(item: &T) -> Value {
    whole_or_part(item, None)
}

/// The id at the end of a path; one that is not text names nothing.
pub(crate) struct Id(pub(crate) String);

impl Id {
    /// Reads the id of a resource; what is no id of one names nothing either.
    pub(crate) fn read<T: FromStr>(&self) -> Result<T, Refusal> {
        self.0.parse().map_err(|_| Refusal::not_found())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id)).map_err(|_| Refusal::not_found())
    }
}

/// A body in JSON, whatever its media type claims to be, as the document declares it.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + Declared, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body = read_json(request, state).await?;
        check(T::DOCUMENT, T::DEFINITION, &body)?;
        serde_json::from_value(body)
            .map(Self)
            .map_err(|_| Refusal::body("a member has a value that it cannot have"))
    }
}

/// A change of a resource: a merge patch, checked by whoever merges it. Source: RFC 7396.
pub(crate) struct Patch(Value);

impl<S: Send + Sync> FromRequest<S> for Patch {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let patch = read_json(request, state).await?;
        if patch.is_object() { Ok(Self(patch)) } else { Err(Refusal::body("a change must be an object")) }
    }
}

impl Patch {
    /// Merges the change into a resource; answers what comes of it and which of its members differ.
    pub(crate) fn merge(&self, resource: &Value) -> (Value, Vec<String>) {
        let mut merged = resource.clone();
        merge(&mut merged, self.0.clone());
        let names = self.0.as_object().into_iter().flat_map(|members| members.keys());
        let changed = names.filter(|name| merged.get(*name) != resource.get(*name)).cloned().collect();
        (merged, changed)
    }

    /// Checks the members of the change, of which none needs to be there: a change says what is changed.
    pub(crate) fn check(&self, document: &Document, definition: &str) -> Result<(), Refusal> {
        let members = self.0.as_object().into_iter().flatten();
        for (name, value) in members.filter(|(_, value)| !value.is_null()) {
            let fits = document.check_member(definition, name, value);
            fits.map_err(|misfit| Refusal::body(misfit.to_string()))?;
        }
        Ok(())
    }
}

// The depth is that of the body, which the reader of JSON has limited.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(members) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (name, value) in members {
        if value.is_null() {
            target.remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// Checks a body against the document.
pub(crate) fn check(document: &Document, definition: &str, body: &Value) -> Result<(), Refusal> {
    document.check(definition, body).map_err(|misfit| Refusal::body(misfit.to_string()))
}

async fn read_json<S: Send + Sync>(request: Request, state: &S) -> Result<Value, Refusal> {
    let body = Bytes::from_request(request, state).await.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::too_large(),
        _ => Refusal::body("the body broke off"),
    })?;
    if edge::holds_zero(&body) {
        return Err(Refusal::body("a text holds the character U+0000, which nothing here may"));
    }
    // The error names the place, not the value; nesting deeper than 128 ends here.
    serde_json::from_slice(&body).map_err(|error| {
        Refusal::body(format!("not JSON near line {}, column {}", error.line(), error.column()))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_merged_and_names_what_it_changes() {
        let resource =
            json!({"status": "active", "name": "News", "place": {"id": "a", "role": "x"}, "list": [1, 2]});
        let patch =
            json!({"status": "active", "name": null, "place": {"role": null, "name": "n"}, "list": [3]});
        let (merged, changed) = Patch(patch).merge(&resource);
        assert_eq!(merged, json!({"status": "active", "place": {"id": "a", "name": "n"}, "list": [3]}));
        assert_eq!(changed, ["list", "name", "place"]);
        assert_eq!(Patch(json!({"absent": null})).merge(&resource).1, Vec::<String>::new());
    }
}
