//! Whose address is whose: our own, and the phones' in E.164.

use domain::{Kind, Msisdn, Region, number};
use smpp::Address;

use crate::config::SmsConfig;

/// Type of number: international (SMPP 3.4 section 5.2.5).
const INTERNATIONAL: u8 = 1;

/// Says whether a text to this address is for us: the sender with any digits after it, or one of the
/// further addresses.
pub(crate) fn is_ours(config: &SmsConfig, destination: &str) -> bool {
    let bare = |address: &'_ str| address.trim_start_matches('+').to_owned();
    let destination = bare(destination);
    let suffix = destination.strip_prefix(&bare(&config.sender));
    suffix.is_some_and(|suffix| suffix.bytes().all(|b| b.is_ascii_digit()))
        || config.also_ours.iter().any(|address| bare(address) == destination)
}

/// Reads a phone's address as E.164; `None` where it is no phone's, such as a short code or a name.
pub(crate) fn phone(address: &Address, region: Region) -> Option<Msisdn> {
    let digits = address.digits.trim();
    let international = match digits.strip_prefix('+').or_else(|| digits.strip_prefix("00")) {
        Some(rest) => Some(rest),
        None if address.ton == INTERNATIONAL => Some(digits),
        None => None,
    };
    if let Some(international) = international {
        // The network knows its own numbers: a range too new for the numbering plan is taken.
        return Msisdn::parse_digits(international).ok();
    }
    let reading = number::read(digits, region);
    match reading.numbers.first() {
        Some(number) => Some(*number),
        // Some centres leave the type unknown and write international digits all the same.
        None if reading.kind == Kind::Reject => Msisdn::parse_digits(digits).ok(),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(ton: u8, digits: &str) -> Address {
        Address { ton, npi: 1, digits: digits.to_owned() }
    }

    #[test]
    fn every_form_of_a_number_names_the_same_phone() {
        let expected = Msisdn::parse_e164("+8613800138000").ok();
        for (ton, digits) in [
            (1, "8613800138000"),
            (1, "+8613800138000"),
            (0, "+8613800138000"),
            (0, "008613800138000"),
            (0, "8613800138000"),
            (0, "13800138000"),
            (2, "13800138000"),
            (2, "013800138000"),
        ] {
            assert_eq!(phone(&address(ton, digits), Region::CN), expected, "{ton} {digits}");
        }
    }

    #[test]
    fn a_foreign_phone_keeps_its_own_country() {
        let expected = Msisdn::parse_e164("+447700900123").ok();
        assert_eq!(phone(&address(1, "447700900123"), Region::CN), expected);
        assert_eq!(phone(&address(0, "447700900123"), Region::CN), expected);
    }

    #[test]
    fn what_is_no_phone_has_no_number() {
        for digits in ["", "10086", "Bank", "95588", "+", "12345678901234567890"] {
            assert_eq!(phone(&address(0, digits), Region::CN), None, "{digits}");
        }
    }

    #[test]
    fn the_sender_with_any_suffix_is_ours_and_so_is_what_is_listed() {
        let mut config = SmsConfig::new("h", 2775, "id", "pw", "10690001");
        config.also_ours.push("+8610086".to_owned());
        for ours in ["10690001", "1069000142", "+10690001", "8610086"] {
            assert!(is_ours(&config, ours), "{ours}");
        }
        for other in ["", "1069000", "10690002", "10690001x", "86100861"] {
            assert!(!is_ours(&config, other), "{other}");
        }
    }
}
