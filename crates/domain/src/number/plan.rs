//! The one door to the numbering plans of the world, which are libphonenumber's.

use rlibphonenumber::{PhoneNumber, PhoneNumberType};

use super::plain::{self, Plain};
use super::{Region, plans};
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
    match plain::read(text, region) {
        Plain::Number(found) => Some(found),
        Plain::Nothing => None,
        Plain::Unsure => find_by_library(text, region),
    }
}

fn find_by_library(text: &str, region: Region) -> Option<Found> {
    let library = plans::library();
    let number = library.parse(text, Some(region.inner())).ok()?;
    // A number has a type exactly when it is valid, and asking for the type alone costs half.
    let kind = library.get_number_type(&number);
    if kind == PhoneNumberType::Unknown {
        return None;
    }
    let mobile = matches!(kind, PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile);
    Some(Found { msisdn: to_msisdn(&number)?, mobile })
}

/// Country code, the zeros that belong to the number (as in Italy), and the rest.
fn to_msisdn(number: &PhoneNumber) -> Option<Msisdn> {
    let zeros = if number.italian_leading_zero() { number.number_of_leading_zeros() } else { 0 };
    let national = number.national_number;
    let length = national.checked_ilog10().map_or(1, |log| log + 1) + u32::try_from(zeros).ok()?;
    let shift = 10_u64.checked_pow(length)?;
    let digits = u64::try_from(number.country_code).ok()?.checked_mul(shift)?.checked_add(national)?;
    let mut buffer = [0_u8; 20];
    Msisdn::parse_digits(write_digits(digits, &mut buffer)).ok()
}

/// The decimal digits of an integer, written at the end of a buffer that holds any of 64 bits.
pub(super) fn write_digits(mut value: u64, buffer: &mut [u8; 20]) -> &str {
    let mut start = buffer.len();
    for (at, place) in buffer.iter_mut().enumerate().rev() {
        // A remainder by ten fits a byte.
        *place = b'0' + (value % 10) as u8;
        value /= 10;
        start = at;
        if value == 0 {
            break;
        }
    }
    buffer.get(start..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// Whether a text that is not a valid number has at least the length of one.
pub(super) fn has_possible_length(text: &str, region: Region) -> bool {
    let library = plans::library();
    library.parse(text, Some(region.inner())).is_ok_and(|number| library.is_possible_number(&number))
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
    find_mobile_digits(digits.as_bytes())
}

fn find_mobile_digits(digits: &[u8]) -> Option<Found> {
    if !is_mainland_mobile(digits) {
        return None;
    }
    // 86 is the country code of ITU-T E.164 for China; eleven digits follow it.
    let mut buffer = *b"8600000000000";
    buffer.get_mut(2..)?.copy_from_slice(digits);
    let msisdn = Msisdn::parse_digits(std::str::from_utf8(&buffer).ok()?).ok()?;
    Some(Found { msisdn, mobile: true })
}

/// What digits and plain marks say without asking the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// A mainland mobile number.
    Mobile(Found),
    /// Eleven digits that begin like a mainland mobile number, in no range in use.
    NoSuchMobile,
    /// Anything else; the library has to be asked.
    Other,
}

/// Reads a mainland mobile number out of digits and plain marks, without asking the library, with
/// or without China's code or the trunk's 0: `138 0013 8000`, `+86 (0) 138-0013-8000`, `0086138…`.
///
/// Outside of China only what begins with `+` can be told. The answer is the library's; a test
/// writes numbers of every range in every such way and compares.
pub(super) fn read_written(text: &str, region: Region) -> Written {
    let Some((buffer, count, plus)) = collect_digits(text) else { return Written::Other };
    let digits = buffer.get(..count).unwrap_or_default();
    let national = match digits {
        [b'8', b'6', rest @ ..] if plus => rest,
        _ if plus || region != Region::CN => return Written::Other,
        [b'0', b'0', b'8', b'6', rest @ ..] | [b'8', b'6', rest @ ..] => rest,
        rest => rest,
    };
    let national = national.strip_prefix(b"0").unwrap_or(national);
    match find_mobile_digits(national) {
        Some(found) => Written::Mobile(found),
        None if national.len() == 11 && matches!(national, [b'1', b'3'..=b'9', ..]) => Written::NoSuchMobile,
        None => Written::Other,
    }
}

/// The digits, how many they are, and whether `+` stands before them; none when there is anything
/// but digits and plain marks, or more digits than China's code behind 00, a trunk's 0 and eleven.
fn collect_digits(text: &str) -> Option<([u8; 16], usize, bool)> {
    let mut digits = [0_u8; 16];
    let mut count = 0;
    let mut plus = false;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                *digits.get_mut(count)? = byte;
                count += 1;
            }
            b'+' if count == 0 && !plus => plus = true,
            b' ' | b'-' | b'.' | b'(' | b')' => {}
            _ => return None,
        }
    }
    Some((digits, count, plus))
}
