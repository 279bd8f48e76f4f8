//! Money and what is asked for in it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount of one currency, in hundredths, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "MoneyText", into = "MoneyText")]
pub struct Money {
    hundredths: i64,
    currency: [u8; 3],
}

/// `{"amount":"5.00","currency":"CNY"}`: how money is written outside.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoneyText {
    amount: String,
    currency: String,
}

/// Why a text is not an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotMoney {
    /// The amount is not digits, a point and two digits, or is above 10 million.
    #[error("the amount must be written like \"5.00\", at most 10000000.00")]
    Amount,
    /// The currency is not three capitals.
    #[error("the currency must be three capitals such as \"CNY\" (ISO 4217)")]
    Currency,
}

/// Above any price of a service, and far from overflow in a sum of thousands of them.
const HUNDREDTHS_MAX: i64 = 1_000_000_000;

impl Money {
    /// Reads an amount with two decimals and an ISO 4217 currency.
    ///
    /// # Errors
    /// [`NotMoney`] names the faulty half.
    pub fn parse(amount: &str, currency: &str) -> Result<Self, NotMoney> {
        let (whole, cents) = amount.split_once('.').ok_or(NotMoney::Amount)?;
        let digits = |s: &str| !s.is_empty() && s.len() <= 9 && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || cents.len() != 2 || !digits(cents) {
            return Err(NotMoney::Amount);
        }
        let parse = |s: &str| i64::from_str(s).map_err(|_| NotMoney::Amount);
        let hundredths = parse(whole)? * 100 + parse(cents)?;
        if hundredths > HUNDREDTHS_MAX {
            return Err(NotMoney::Amount);
        }
        let code: [u8; 3] = currency.as_bytes().try_into().map_err(|_| NotMoney::Currency)?;
        if !code.iter().all(u8::is_ascii_uppercase) {
            return Err(NotMoney::Currency);
        }
        Ok(Self { hundredths, currency: code })
    }

    /// The amount with two decimals.
    pub fn amount(self) -> String {
        format!("{}.{:02}", self.hundredths / 100, self.hundredths % 100)
    }

    /// The currency's three capitals.
    pub fn currency(&self) -> &str {
        std::str::from_utf8(&self.currency).unwrap_or("XXX")
    }

    /// The amount in hundredths of the currency's unit.
    pub fn hundredths(self) -> i64 {
        self.hundredths
    }

    /// Money of the same currency.
    #[must_use]
    pub fn with_hundredths(self, hundredths: i64) -> Self {
        Self { hundredths: hundredths.max(0), ..self }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency())
    }
}

impl TryFrom<MoneyText> for Money {
    type Error = NotMoney;
    fn try_from(text: MoneyText) -> Result<Self, NotMoney> {
        Self::parse(&text.amount, &text.currency)
    }
}

impl From<Money> for MoneyText {
    fn from(money: Money) -> Self {
        Self { amount: money.amount(), currency: money.currency().to_owned() }
    }
}

/// How often a price is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// Once, at activation.
    Once,
    /// Every day.
    Day,
    /// Every week.
    Week,
    /// Every month.
    Month,
    /// Every year.
    Year,
}

impl Period {
    /// The word used outside.
    pub fn word(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Once, Self::Day, Self::Week, Self::Month, Self::Year].into_iter().find(|p| p.word() == word)
    }
}

/// What a service costs: an amount every period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Price {
    /// The amount due.
    pub money: Money,
    /// How often.
    pub period: Period,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_and_written_with_two_decimals() {
        assert_eq!(Money::parse("5.00", "CNY").unwrap().to_string(), "5.00 CNY");
        for bad in ["5", "5.0", "-5.00", "5.000", ".50", "1e3.00", "99999999999.00", "５.00"] {
            assert_eq!(Money::parse(bad, "CNY"), Err(NotMoney::Amount), "{bad}");
        }
        assert_eq!(Money::parse("5.00", "cny"), Err(NotMoney::Currency));
    }
}
