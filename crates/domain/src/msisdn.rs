use std::fmt;

/// A telephone number in E.164: country code and national number, 7 to 15 digits, without the `+`.
///
/// There is no `Display`, and `Debug` masks all but the last two digits, so that a number cannot
/// reach a log line by accident; [`Msisdn::e164`] is the one way out.
/// Source: ITU-T E.164, section 6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn(u64);

/// Why a text is not an E.164 number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an E.164 number: write + and 7 to 15 digits, such as +8613800000000")]
pub struct NotE164;

impl Msisdn {
    /// Reads `+` and 7 to 15 digits, the first not 0; nothing else is allowed in between.
    ///
    /// # Errors
    /// [`NotE164`] for any other text.
    pub fn parse_e164(text: &str) -> Result<Self, NotE164> {
        text.strip_prefix('+').ok_or(NotE164).and_then(Self::parse_digits)
    }

    /// Reads the digits of an E.164 number without the `+`, as SMPP addresses carry them.
    ///
    /// # Errors
    /// [`NotE164`] for any other text.
    pub fn parse_digits(digits: &str) -> Result<Self, NotE164> {
        let well_formed = (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if !well_formed {
            return Err(NotE164);
        }
        digits.parse().map(Self).map_err(|_| NotE164)
    }

    /// The number with its `+`. Where this is called, a number leaves the type's protection.
    pub fn e164(self) -> String {
        format!("+{}", self.0)
    }

    /// The digits without the `+`, as one integer below 10^15.
    pub fn digits(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+*{:02}", self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_masks_the_number() {
        let number = Msisdn::parse_e164("+8613800001234").unwrap();
        assert_eq!(format!("{number:?}"), "+*34");
    }

    #[test]
    fn only_e164_is_read() {
        for bad in
            ["", "+", "8613800001234", "+0123456789", "+86 138", "+1234567890123456", "+86１３８00001234"]
        {
            assert_eq!(Msisdn::parse_e164(bad), Err(NotE164), "{bad}");
        }
    }
}
