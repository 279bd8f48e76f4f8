//! What every list and every single resource has in common: query, paging, projection, body.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, Query, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::{Msisdn, limits};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::platform::PlatformView;
use tmf::query::{ListQuery, project, split_fields};

use crate::refusal::Refusal;

/// A query's pairs, or why axum could not read them.
pub(crate) type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// Reads a list's query.
pub(crate) fn read_query(pairs: Pairs, filters: &[&str]) -> Result<ListQuery, Refusal> {
    let Query(pairs) = pairs.map_err(|_| Refusal::query("the query is not key=value pairs"))?;
    let (default, most) = (limits::count(limits::PAGE_ITEMS_DEFAULT), limits::count(limits::PAGE_ITEMS_MAX));
    ListQuery::read(pairs, filters, default, most).map_err(|error| Refusal::query(error.to_string()))
}

/// Reads the query of a single resource: `fields` alone.
pub(crate) fn read_fields(pairs: Pairs) -> Result<Option<Vec<String>>, Refusal> {
    let Query(pairs) = pairs.map_err(|_| Refusal::query("the query is not key=value pairs"))?;
    let mut fields = None;
    for (key, value) in pairs {
        if key != "fields" {
            return Err(Refusal::query("only 'fields' is known here; leave the other keys out"));
        }
        fields = Some(split_fields(&value));
    }
    Ok(fields)
}

/// The words asked for under a filter, read; a word that is none fits nothing.
pub(crate) fn words<T>(query: &ListQuery, key: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    query.filter(key).map(|values| values.iter().filter_map(|value| parse(value)).collect())
}

/// The customers asked for under `relatedParty.id`; an id that is no number fits nobody.
pub(crate) fn customers(query: &ListQuery) -> Option<Vec<Msisdn>> {
    // An unescaped `+` arrives as a blank; no number begins with one.
    words(query, "relatedParty.id", |id| Msisdn::parse_e164(&id.replacen(' ', "+", 1)).ok())
}

/// The keys of numbers.
pub(crate) fn keys(
    view: &PlatformView<'_>,
    numbers: Option<&[Msisdn]>,
) -> Option<Vec<domain::key::ContactKey>> {
    numbers.map(|numbers| numbers.iter().map(|number| view.key_of(*number)).collect())
}

/// A page of a list with its counts.
pub(crate) fn page<T: Serialize>(items: &[T], total: i64, query: &ListQuery) -> Response {
    let body: Vec<Value> = items.iter().map(|item| whole_or_part(item, query.fields.as_deref())).collect();
    let counts = [
        (HeaderName::from_static("x-total-count"), HeaderValue::from(total)),
        (HeaderName::from_static("x-result-count"), HeaderValue::from(items.len())),
    ];
    (counts, Json(body)).into_response()
}

/// One resource.
pub(crate) fn one<T: Serialize>(item: &T, fields: Option<&[String]>) -> Response {
    Json(whole_or_part(item, fields)).into_response()
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

/// A body in JSON, whatever its media type claims to be.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body = Bytes::from_request(request, state).await.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::too_large(),
            _ => Refusal::body("the body broke off"),
        })?;
        read_body(&body).map(Self)
    }
}

fn read_body<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    if edge::holds_zero(body) {
        return Err(Refusal::body("a text holds the character U+0000, which nothing here may"));
    }
    // The error names the place and the kind of fault, not the value.
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Refusal::body(if error.is_data() {
            format!("a member has the wrong type or is missing near {place}")
        } else {
            format!("not JSON near {place}")
        })
    })
}
