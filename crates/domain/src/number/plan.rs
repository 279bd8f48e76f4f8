//! The one door to the numbering plans of the world, which are libphonenumber's.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};

use super::Region;
use crate::Msisdn;

/// A valid number and what the numbering plan says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) msisdn: Msisdn,
    /// True for mobile and fixed-or-mobile numbers.
    pub(super) mobile: bool,
}

/// Reads a text the way libphonenumber does and keeps it only when it is valid.
pub(super) fn find(text: &str, region: Region) -> Option<Found> {
    let number = PHONE_NUMBER_UTIL.parse(text, Some(region.inner())).ok()?;
    // A number has a type exactly when it is valid, and asking for the type alone costs half.
    let kind = PHONE_NUMBER_UTIL.get_number_type(&number);
    if kind == PhoneNumberType::Unknown {
        return None;
    }
    let msisdn = Msisdn::parse_e164(&PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164)).ok()?;
    let mobile = matches!(kind, PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile);
    Some(Found { msisdn, mobile })
}

/// Whether a text that is not a valid number has at least the length of one.
pub(super) fn has_possible_length(text: &str, region: Region) -> bool {
    PHONE_NUMBER_UTIL
        .parse(text, Some(region.inner()))
        .is_ok_and(|number| PHONE_NUMBER_UTIL.is_possible_number(&number))
}

/// Whether eleven digits are a mainland mobile number, decided without the library.
///
/// Pattern of the mobile numbers in libphonenumber's metadata for CN,
/// `1(?:(?:610\d|740[0-5])\d{6}|(?:[38]\d|4[57]|[59][0-35-9]|6[25-7]|7[0-35-8])\d{8})`;
/// a test walks every leading five digits, which decide, and compares.
pub(super) fn is_mainland_mobile(digits: &[u8]) -> bool {
    let &[b'1', second, third, fourth, fifth, ref rest @ ..] = digits else { return false };
    if rest.len() != 6 || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    match (second, third) {
        (b'3' | b'8', _) => true,
        (b'4', b'5' | b'7') => true,
        (b'5' | b'9', b'0'..=b'3' | b'5'..=b'9') => true,
        (b'6', b'2' | b'5'..=b'7') => true,
        (b'6', b'1') => fourth == b'0',
        (b'7', b'0'..=b'3' | b'5'..=b'8') => true,
        (b'7', b'4') => fourth == b'0' && (b'0'..=b'5').contains(&fifth),
        _ => false,
    }
}

/// Eleven digits of a mainland mobile number as a number.
pub(super) fn find_mainland_mobile(digits: &str) -> Option<Found> {
    if !is_mainland_mobile(digits.as_bytes()) {
        return None;
    }
    let national: u64 = digits.parse().ok()?;
    // 86 is the country code of ITU-T E.164 for China; eleven digits follow it.
    let msisdn = Msisdn::parse_digits(&(8_600_000_000_000 + national).to_string()).ok()?;
    Some(Found { msisdn, mobile: true })
}
