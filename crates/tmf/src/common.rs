//! Members that several resources share.

use domain::Msisdn;
use domain::money;
use serde::{Deserialize, Deserializer, Serialize};

/// Reads `null` as an absent member, which deployed clients send for both.
pub(crate) fn null_as_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// A resource that lacks what its translation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the resource's {0} is missing or cannot be read")]
pub struct Unreadable(pub &'static str);

/// A refusal. Source: TMF630 part 1, "Error".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorBody {
    /// A stable code of the application.
    pub code: String,
    /// What went wrong, for a person.
    pub reason: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The HTTP status, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// Somebody who has to do with a resource.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PartyRef {
    /// For the customer: the E.164 number.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
    /// The part they play, such as `customer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the id points to.
    #[serde(rename = "@referredType", skip_serializing_if = "Option::is_none")]
    pub referred_type: Option<String>,
    /// Ours: the language to address the person in, BCP 47.
    #[serde(rename = "preferredLanguage", skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl PartyRef {
    /// The customer with a number.
    pub fn customer(number: Msisdn) -> Self {
        Self {
            id: number.e164(),
            role: Some("customer".to_owned()),
            name: None,
            referred_type: Some("Individual".to_owned()),
            language: None,
        }
    }

    /// The customer's id among related parties: the one whose role says so, else the only one.
    pub fn customer_of(parties: &[Self]) -> Option<&str> {
        let by_role =
            parties.iter().find(|p| p.role.as_deref().is_some_and(|r| r.eq_ignore_ascii_case("customer")));
        let only = match parties {
            [one] => Some(one),
            _ => None,
        };
        by_role.or(only).map(|party| party.id.as_str())
    }
}

/// Which offering is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OfferingRef {
    /// The id.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
    /// Where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The version seen on the card; ours: the document has no member for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// By which way an order came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Channel {
    /// The channel, such as `friend-share`.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A remark on a resource.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Note {
    /// Which remark it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// What it says.
    #[serde(deserialize_with = "null_as_default")]
    pub text: String,
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Amount {
    /// The currency, ISO 4217.
    #[serde(deserialize_with = "null_as_default")]
    pub unit: String,
    /// How much, in whole units.
    pub value: f64,
}

/// A price: what is due, taxes included.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Price {
    /// The amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_included_amount: Option<Amount>,
}

/// A price and how often it is due; the shape that offerings, items and products share.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PricePlan {
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `recurring` or `oneTime`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_type: Option<String>,
    /// `day`, `week`, `month` or `year`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurring_charge_period: Option<String>,
    /// The price itself.
    #[serde(deserialize_with = "null_as_default")]
    pub price: Price,
}

impl From<money::Price> for PricePlan {
    fn from(price: money::Price) -> Self {
        let recurring = price.period != money::Period::Once;
        // Hundredths up to 10^9 are exact in a double, and so is their shortest decimal form.
        #[allow(clippy::cast_precision_loss)]
        let value = price.money.hundredths() as f64 / 100.0;
        Self {
            name: None,
            price_type: Some(if recurring { "recurring" } else { "oneTime" }.to_owned()),
            recurring_charge_period: recurring.then(|| price.period.word().to_owned()),
            price: Price {
                tax_included_amount: Some(Amount { unit: price.money.currency().to_owned(), value }),
            },
        }
    }
}

impl PricePlan {
    /// The price in the words of the domain.
    ///
    /// # Errors
    /// [`Unreadable`] names the member.
    pub fn to_domain(&self) -> Result<money::Price, Unreadable> {
        let amount = self.price.tax_included_amount.as_ref().ok_or(Unreadable("price"))?;
        let text = format!("{:.2}", amount.value);
        let exact = text.parse::<f64>().is_ok_and(|back| (back - amount.value).abs() < 1e-6);
        let money =
            money::Money::parse(&text, &amount.unit).ok().filter(|_| exact).ok_or(Unreadable("price"))?;
        let period = match self.recurring_charge_period.as_deref() {
            None | Some("") => money::Period::Once,
            // Deployed catalogues write "month", "monthly" and "Month" for one thing.
            Some(word) => {
                read_period(&word.to_ascii_lowercase()).ok_or(Unreadable("recurringChargePeriod"))?
            }
        };
        Ok(money::Price { money, period })
    }
}

fn read_period(word: &str) -> Option<money::Period> {
    money::Period::parse(if word == "daily" { "day" } else { word.trim_end_matches("ly") })
}

#[cfg(test)]
mod tests {
    use domain::money::{Money, Period};

    use super::*;

    #[test]
    fn a_price_comes_back_as_it_went() {
        for amount in ["0.00", "0.01", "5.00", "19.90", "1999.99", "9999999.99"] {
            for period in [Period::Once, Period::Day, Period::Week, Period::Month, Period::Year] {
                let price = money::Price { money: Money::parse(amount, "CNY").unwrap(), period };
                let json = serde_json::to_string(&PricePlan::from(price)).unwrap();
                let back: PricePlan = serde_json::from_str(&json).unwrap();
                assert_eq!(back.to_domain(), Ok(price), "{json}");
            }
        }
    }

    #[test]
    fn a_price_that_is_none_is_refused_and_does_not_panic() {
        let plan = |json: &str| serde_json::from_str::<PricePlan>(json).unwrap().to_domain();
        for bad in [
            "{}",
            r#"{"price":{"taxIncludedAmount":{"unit":"CNY","value":5.001}}}"#,
            r#"{"price":{"taxIncludedAmount":{"unit":"CNY","value":-5}}}"#,
            r#"{"price":{"taxIncludedAmount":{"unit":"CNY","value":1e300}}}"#,
            r#"{"price":{"taxIncludedAmount":{"unit":"yuan","value":5}}}"#,
        ] {
            assert_eq!(plan(bad), Err(Unreadable("price")), "{bad}");
        }
        let odd =
            r#"{"recurringChargePeriod":"fortnight","price":{"taxIncludedAmount":{"unit":"CNY","value":5}}}"#;
        assert_eq!(plan(odd), Err(Unreadable("recurringChargePeriod")));
    }

    #[test]
    fn the_customer_is_found_by_role_or_because_there_is_nobody_else() {
        let party = |id: &str, role: Option<&str>| PartyRef {
            id: id.to_owned(),
            role: role.map(str::to_owned),
            ..PartyRef::default()
        };
        assert_eq!(
            PartyRef::customer_of(&[party("a", Some("seller")), party("b", Some("Customer"))]),
            Some("b")
        );
        assert_eq!(PartyRef::customer_of(&[party("a", None)]), Some("a"));
        assert_eq!(PartyRef::customer_of(&[party("a", None), party("b", None)]), None);
    }
}
