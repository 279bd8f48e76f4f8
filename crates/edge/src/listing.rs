//! Queries: `?limit=&cursor=` and the filters of a list.

use api::{Code, Page};
use axum::extract::FromRequestParts;
use domain::limits;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Problem, cursor, faults};

/// The query of a call that is no list; an unknown key is refused by name.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

/// The query of a list without filters; any other key is refused by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// How many items at most: 1 to 500, 100 when not said.
    pub limit: usize,
    cursor: Option<String>,
}

/// The query of a list with filters.
#[derive(Debug, Clone)]
pub struct Listing<T> {
    /// What narrows the list.
    pub filter: T,
    /// Which page.
    pub paging: Paging,
}

/// The query of a call that takes none; any key is refused by name.
#[derive(Debug, Clone, Copy)]
pub struct NoQuery;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFilter {}

/// The two keys of every list, for the OpenAPI document.
#[derive(Debug, Clone, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PagingParams {
    /// How many items at most; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

impl Paging {
    /// The row after which this page begins; `None` for the first page.
    ///
    /// # Errors
    /// 400 for a cursor that is none of this list.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        self.cursor.as_deref().map(cursor::decode).transpose()
    }

    /// The page out of a whole list that is at hand; `key` names an item.
    ///
    /// # Errors
    /// 400 for a cursor that is none of this list.
    pub fn cut<T, K>(&self, items: Vec<T>, key: impl Fn(&T) -> K) -> Result<Page<T>, Problem>
    where
        K: Serialize + DeserializeOwned + PartialEq,
    {
        let rest = match self.after::<K>()? {
            None => items,
            Some(after) => items.into_iter().skip_while(|item| key(item) != after).skip(1).collect(),
        };
        Ok(self.page(rest, key))
    }

    /// How many rows to fetch: one more than is shown tells whether a page follows.
    pub fn fetch(&self) -> usize {
        self.limit + 1
    }

    /// The page out of [`Paging::fetch`] rows; `key` says where the next one begins.
    pub fn page<T, K: Serialize>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Page<T> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| more).map(|last| cursor::encode(&key(last)));
        Page { items: rows, next }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(pairs(parts)?).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read::<NoFilter>(pairs(parts)?).map(|_| Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (paging, rest) = split(pairs(parts)?)?;
        read::<NoFilter>(rest).map(|_| paging)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Listing<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (paging, rest) = split(pairs(parts)?)?;
        read(rest).map(|filter| Self { filter, paging })
    }
}

type Pairs = Vec<(String, String)>;

fn pairs(parts: &Parts) -> Result<Pairs, Problem> {
    axum::extract::Query::try_from_uri(&parts.uri).map(|axum::extract::Query(pairs)| pairs).map_err(|_| {
        Problem::new(Code::RequestMalformed, "The query cannot be read; encode it as key=value&key=value.")
    })
}

fn read<T: DeserializeOwned>(pairs: Pairs) -> Result<T, Problem> {
    faults::from_pairs(pairs).map_err(|(key, detail)| {
        refusal(key, &detail.replace("a field of this request", "a key of this query"))
    })
}

fn refusal(key: String, detail: &str) -> Problem {
    Problem::new(Code::RequestMalformed, format!("Correct the query: `{key}` {detail}.")).field(key, detail)
}

/// Takes the keys of paging out; the rest belongs to the filter.
fn split(pairs: Pairs) -> Result<(Paging, Pairs), Problem> {
    let default = limits::count(limits::PAGE_ITEMS_DEFAULT);
    let (mut limit, mut cursor, mut rest) = (None, None, Vec::new());
    for (key, value) in pairs {
        let slot = match key.as_str() {
            "limit" => &mut limit,
            "cursor" => &mut cursor,
            _ => {
                rest.push((key, value));
                continue;
            }
        };
        if slot.replace(value).is_some() {
            return Err(refusal(key, "stands there twice"));
        }
    }
    let limit = limit.map_or(Ok(default), |text| parse_limit(&text))?;
    Ok((Paging { limit, cursor }, rest))
}

fn parse_limit(text: &str) -> Result<usize, Problem> {
    let max = limits::count(limits::PAGE_ITEMS_MAX);
    let limit = text.parse().ok().filter(|limit| (1..=max).contains(limit));
    limit.ok_or_else(|| refusal("limit".to_owned(), &format!("must be a whole number from 1 to {max}")))
}
