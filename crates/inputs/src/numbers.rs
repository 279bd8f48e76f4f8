//! Raw number fields, as people write them.

use domain::number::{read, read_own};
use domain::{Msisdn, Region};

/// Digits of an E.164 number at most (ITU-T E.164, section 6).
const DIGITS_MAX: usize = 15;

pub(crate) fn check(bytes: &[u8]) {
    let Some((&region, bytes)) = bytes.split_first() else { return };
    let raw = String::from_utf8_lossy(bytes);
    let region = if region % 2 == 0 { Region::CN } else { Region::parse("US").unwrap_or(Region::CN) };
    check_reading(&raw, region);
}

/// What holds for the reading of any field.
pub(crate) fn check_reading(raw: &str, region: Region) {
    let reading = read(raw, region);
    assert_eq!(reading.numbers.is_empty(), reading.reason.is_some(), "read, or refused for a reason");
    for number in &reading.numbers {
        let e164 = number.e164();
        let digits = e164.strip_prefix('+').unwrap_or_default();
        assert!(digits.len() <= DIGITS_MAX && digits.bytes().all(|byte| byte.is_ascii_digit()), "{e164}");
        assert!(!digits.starts_with('0'), "{e164}");
        assert_eq!(Msisdn::parse_e164(&e164), Ok(*number));
    }
    for number in &reading.matchable {
        assert!(reading.numbers.contains(number), "what matches was read");
        // What goes out as E.164 comes in again as the same number, whatever the region.
        assert_eq!(read_own(&number.e164(), region), Ok(*number));
    }
}
