//! Filters by attribute: `a=b`, `a.b=c`, and with an operator at the end of the key.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::{QueryError, Resource, shown, values_at};
use crate::document::Kind;

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `a=b` or `a.eq=b`.
    Equal,
    /// `a.gt=b`.
    Above,
    /// `a.gte=b`.
    NotBelow,
    /// `a.lt=b`.
    Below,
    /// `a.lte=b`.
    NotAbove,
    /// `a.regex=b`: the expression is found in the text.
    Expression,
}

const OPERATORS: [(&str, Comparison); 6] = [
    ("eq", Comparison::Equal),
    ("gt", Comparison::Above),
    ("gte", Comparison::NotBelow),
    ("lt", Comparison::Below),
    ("lte", Comparison::NotAbove),
    ("regex", Comparison::Expression),
];

/// A regular expression's longest text, in characters.
const EXPRESSION_CHARS_MAX: usize = 256;
/// What it may take up once compiled, in bytes: repeats of repeats end here. It is matched in time that grows
/// with the text alone.
const EXPRESSION_BYTES_MAX: usize = 1 << 18;

/// One filter: an attribute, and the values of which one must fit.
#[derive(Debug, Clone)]
pub struct Filter {
    path: String,
    comparison: Comparison,
    values: Vec<String>,
    wanted: Vec<Wanted>,
}

/// One value, read as what the attribute holds.
#[derive(Debug, Clone)]
enum Wanted {
    Text(String),
    Number(f64),
    Truth(bool),
    Time(Timestamp),
    Expression(Regex),
}

/// Adds a pair of the query to the filters: the same key again is one more value.
pub(super) fn add(
    filters: &mut Vec<Filter>,
    key: &str,
    value: &str,
    resource: &Resource,
) -> Result<(), QueryError> {
    let (path, comparison, kind) = read_key(key, resource)?;
    if kind == Kind::Members {
        return Err(QueryError::Members(shown(path)));
    }
    let mut values: Vec<String> = Vec::new();
    if comparison != Comparison::Expression {
        // `state=a,b` and `state=a&state=b` are the same question.
        values.extend(value.split(',').map(str::to_owned));
    }
    if values.len() != 1 {
        // A text may hold commas itself.
        values.push(value.to_owned());
    }
    let whole = values.len() - 1;
    let mut wanted = Vec::new();
    for (place, value) in values.iter().enumerate() {
        match read_value(key, value, comparison, kind) {
            Ok(value) => wanted.push(value),
            // The whole of several values is a value only where it can be one.
            Err(_) if place == whole && whole > 0 => {}
            Err(error) => return Err(error),
        }
    }
    match filters.iter_mut().find(|known| known.path == path && known.comparison == comparison) {
        Some(known) => {
            known.values.extend(values);
            known.wanted.extend(wanted);
        }
        None => filters.push(Filter { path: path.to_owned(), comparison, values, wanted }),
    }
    Ok(())
}

fn read_key<'a>(key: &'a str, resource: &Resource) -> Result<(&'a str, Comparison, Kind), QueryError> {
    if let Some(kind) = resource.attribute(key) {
        return Ok((key, Comparison::Equal, kind));
    }
    let operated = key.rsplit_once('.').and_then(|(path, operator)| {
        let (_, comparison) = OPERATORS.iter().find(|(word, _)| *word == operator)?;
        Some((path, *comparison, resource.attribute(path)?))
    });
    operated.ok_or_else(|| QueryError::UnknownKey(shown(key)))
}

fn read_value(key: &str, value: &str, comparison: Comparison, kind: Kind) -> Result<Wanted, QueryError> {
    if comparison == Comparison::Expression {
        return read_expression(value)
            .map(Wanted::Expression)
            .ok_or_else(|| QueryError::Expression(shown(key)));
    }
    let refuse = |what| QueryError::Value(shown(key), what);
    match kind {
        Kind::Number => {
            let number: f64 = value.parse().map_err(|_| refuse("a number"))?;
            if number.is_finite() { Ok(Wanted::Number(number)) } else { Err(refuse("a number")) }
        }
        Kind::Truth => value.parse().map(Wanted::Truth).map_err(|_| refuse("true or false")),
        Kind::Time => {
            read_time(value).map(Wanted::Time).ok_or_else(|| refuse("a moment such as 2026-01-01T00:00:00Z"))
        }
        Kind::Text | Kind::Anything | Kind::Members => Ok(Wanted::Text(value.to_owned())),
    }
}

fn read_expression(text: &str) -> Option<Regex> {
    if text.chars().count() > EXPRESSION_CHARS_MAX {
        return None;
    }
    let mut builder = RegexBuilder::new(text);
    builder.size_limit(EXPRESSION_BYTES_MAX).dfa_size_limit(EXPRESSION_BYTES_MAX).nest_limit(32).build().ok()
}

fn read_time(text: &str) -> Option<Timestamp> {
    // An unescaped `+` arrives as a blank; no moment here is written with one.
    let text = text.trim().replace(' ', "+");
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let day: Date = text.parse().ok()?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

impl Filter {
    /// The attribute.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How it is compared.
    pub fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// The values as they were given.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Whether any value of a resource's attribute fits any of the filter's.
    pub fn fits(&self, resource: &Value) -> bool {
        values_at(resource, &self.path, &mut |value| {
            self.wanted.iter().any(|wanted| self.compare(value, wanted))
        })
    }

    fn compare(&self, value: &Value, wanted: &Wanted) -> bool {
        let order = match (wanted, value) {
            (Wanted::Expression(expression), value) => return expression.is_match(&text_of(value)),
            (Wanted::Text(wanted), value) => Some(text_of(value).as_ref().cmp(wanted.as_str())),
            (Wanted::Number(wanted), Value::Number(number)) => {
                number.as_f64().and_then(|number| number.partial_cmp(wanted))
            }
            (Wanted::Truth(wanted), Value::Bool(truth)) => Some(truth.cmp(wanted)),
            (Wanted::Time(wanted), Value::String(text)) => read_time(text).map(|time| time.cmp(wanted)),
            _ => None,
        };
        order.is_some_and(|order| match self.comparison {
            Comparison::Equal => order == Ordering::Equal,
            Comparison::Above => order == Ordering::Greater,
            Comparison::NotBelow => order != Ordering::Less,
            Comparison::Below => order == Ordering::Less,
            Comparison::NotAbove => order != Ordering::Greater,
            Comparison::Expression => false,
        })
    }
}

/// A scalar as text.
pub(super) fn text_of(value: &Value) -> std::borrow::Cow<'_, str> {
    match value {
        Value::String(text) => text.as_str().into(),
        other => other.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::resources::{PRODUCT, PRODUCT_OFFERING};
    use super::super::{ListQuery, QueryError, Resource};

    fn read(resource: &Resource, query: &str) -> Result<ListQuery, QueryError> {
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        ListQuery::read(pairs, resource, 100, 500)
    }

    #[test]
    fn each_comparison_holds_for_what_it_should_and_for_nothing_else() {
        let product = json!({
            "id": "p1", "name": "Ring, tones", "isBundle": false, "startDate": "2026-03-01T02:00:00Z",
            "relatedParty": [{"id": "+861", "role": "customer"}, {"id": "+862", "role": "seller"}],
            "productPrice": [{"price": {"taxIncludedAmount": {"unit": "CNY", "value": 5.0}}}],
        });
        for fitting in [
            "id=p1",
            "id=p0,p1",
            "id=p0&id=p1",
            "name=Ring, tones",
            "isBundle=false",
            "relatedParty.id=+862",
            "relatedParty.role=customer&relatedParty.id=+862",
            "productPrice.price.taxIncludedAmount.value=5",
            "productPrice.price.taxIncludedAmount.value.gt=4.99&productPrice.price.taxIncludedAmount.value.lt=10",
            "startDate=2026-03-01T10:00:00+08:00",
            "startDate=2026-03-01T10:00:00 08:00",
            "startDate.gte=2026-03-01",
            "startDate.lt=2026-03-02",
            "startDate.lte=2026-03-01T02:00:00.000Z",
            "name.regex=^Ring",
            "name.regex=(?i)TONES$",
            "id.gt=p0&id.lt=p2",
        ] {
            assert!(read(&PRODUCT, fitting).unwrap().fits(&product), "{fitting}");
        }
        for other in [
            "id=p2",
            "id=P1",
            "name=Ring",
            "isBundle=true",
            "relatedParty.id=+863",
            "productPrice.price.taxIncludedAmount.value.gt=5",
            "productPrice.price.taxIncludedAmount.value=50",
            "startDate.gt=2026-03-01T02:00:00Z",
            "startDate.lt=2026-03-01",
            "name.regex=^tones",
            "id.gt=p0&id.lt=p1",
            "description=",
            "place.id=x",
        ] {
            assert!(!read(&PRODUCT, other).unwrap().fits(&product), "{other}");
        }
    }

    #[test]
    fn a_value_that_the_attribute_cannot_have_is_refused() {
        for (query, key) in [
            ("productPrice.price.taxIncludedAmount.value=five", "productPrice.price.taxIncludedAmount.value"),
            (
                "productPrice.price.taxIncludedAmount.value.gt=NaN",
                "productPrice.price.taxIncludedAmount.value.gt",
            ),
            ("isBundle=maybe", "isBundle"),
            ("startDate.gt=yesterday", "startDate.gt"),
            ("startDate=2026-13-01", "startDate"),
        ] {
            assert!(
                matches!(read(&PRODUCT, query), Err(QueryError::Value(named, _)) if named == key),
                "{query}"
            );
        }
        let long = format!("name.regex={}", "x".repeat(257));
        for query in ["name.regex=(", "name.regex=((a{200}){200}){200}", "name.regex=(a)\\1", &long] {
            let error = read(&PRODUCT, query).unwrap_err();
            assert_eq!(error, QueryError::Expression("name.regex".to_owned()), "{query}");
        }
    }

    #[test]
    fn what_only_we_write_can_be_filtered_too() {
        let offering = json!({"id": "crbt", "relatedParty": [{"id": "xx", "providerKind": "designated"}]});
        assert!(read(&PRODUCT_OFFERING, "relatedParty.providerKind=designated").unwrap().fits(&offering));
        assert!(!read(&PRODUCT_OFFERING, "relatedParty.id=op").unwrap().fits(&offering));
    }
}
