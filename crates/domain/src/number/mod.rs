//! Reads telephone numbers as people write them into address books.
//!
//! The world's numbering plans are libphonenumber's; what is Chinese stands in `mainland`. A reading
//! is pure and total: any text of any length gives an answer. Only [`Reading::matchable`] may enter
//! matching, because a landline or a service number cannot agree to anything.

mod clean;
mod dialled;
mod field;
mod mainland;
mod plain;
mod plan;
mod plans;
mod refusal;
mod region;

use crate::Msisdn;
pub use refusal::Refusal;
pub use region::{NotARegion, Region};

/// The longest field that is read, in characters; a telephone field of a vCard is far below it.
pub const RAW_CHARS_MAX: usize = 256;

/// The most numbers that are read out of one field.
pub const NUMBERS_A_FIELD_MAX: usize = 16;

/// The release of libphonenumber whose numbering plans are compiled in, to be kept with a number.
///
/// Source: the metadata of rlibphonenumber 2.2.15.
pub const PLAN_VERSION: &str = "rlibphonenumber 2.2.15";

/// What sort of thing a raw number field holds; in JSON `e164`, `short`, `multi` or `reject`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One valid number.
    E164,
    /// A short, service or group number, which belongs to no person.
    Short,
    /// Several valid numbers.
    Multi,
    /// Nothing usable.
    Reject,
}

/// One raw number field of an address book, read for one default region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The valid numbers in the order they were written, each once; landlines and toll-free too.
    pub numbers: Vec<Msisdn>,
    /// What sort of thing the field holds.
    pub kind: Kind,
    /// True exactly when there are numbers.
    pub valid: bool,
    /// Why there are none.
    pub reason: Option<Refusal>,
    /// Of the numbers those that are mobile, or fixed or mobile; these alone enter matching.
    pub matchable: Vec<Msisdn>,
}

/// Reads one raw number field of an address book.
///
/// Whatever libphonenumber calls valid is read the same way as it does; only what it does not
/// accept is looked at further. A well-formed number that is in no range in use is refused.
pub fn read(raw: &str, region: Region) -> Reading {
    match plan::read_written(raw, region) {
        plan::Written::Mobile(found) => return Reading::from_found(&[found]),
        plan::Written::NoSuchMobile => return Reading::from_refusal(Refusal::NotValid),
        plan::Written::Other => {}
    }
    if raw.chars().nth(RAW_CHARS_MAX).is_some() {
        return Reading::from_refusal(Refusal::TooLong);
    }
    match field::find_all(&clean::clean(raw), region) {
        Ok(found) => Reading::from_found(&found),
        Err(refusal) => Reading::from_refusal(refusal),
    }
}

/// Reads a subscriber's own number: exactly one valid mobile number.
///
/// # Errors
/// The [`Refusal`] of the field, [`Refusal::SeveralNumbers`] or [`Refusal::NotMobile`].
pub fn read_own(raw: &str, region: Region) -> Result<Msisdn, Refusal> {
    let reading = read(raw, region);
    match (reading.numbers.as_slice(), reading.matchable.as_slice()) {
        ([_], &[own]) => Ok(own),
        ([], _) => Err(reading.reason.unwrap_or(Refusal::NotANumber)),
        ([_], _) => Err(Refusal::NotMobile),
        _ => Err(Refusal::SeveralNumbers),
    }
}

impl Reading {
    fn from_found(found: &[plan::Found]) -> Self {
        let mut numbers: Vec<Msisdn> = Vec::with_capacity(found.len());
        let mut matchable = Vec::with_capacity(found.len());
        for one in found {
            if numbers.contains(&one.msisdn) {
                continue;
            }
            numbers.push(one.msisdn);
            if one.mobile {
                matchable.push(one.msisdn);
            }
        }
        let kind = if numbers.len() > 1 { Kind::Multi } else { Kind::E164 };
        Self { numbers, kind, valid: true, reason: None, matchable }
    }

    fn from_refusal(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::ShortCode | Refusal::ServiceNumber | Refusal::GroupShortNumber => Kind::Short,
            _ => Kind::Reject,
        };
        Self { numbers: Vec::new(), kind, valid: false, reason: Some(refusal), matchable: Vec::new() }
    }
}

#[cfg(test)]
mod tests;
