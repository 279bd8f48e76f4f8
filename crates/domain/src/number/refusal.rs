use std::fmt;

/// Why a raw number field yields no number; it never carries the raw text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// Nothing but spaces and marks.
    Empty,
    /// An emergency or other very short number, such as 110.
    ShortCode,
    /// A service of an operator, bank or authority, such as 10086, or a dialled service command.
    ServiceNumber,
    /// A short number that means something only inside one company's group, such as 66123.
    GroupShortNumber,
    /// No telephone number in it.
    NotANumber,
    /// More than [`super::RAW_CHARS_MAX`] characters.
    TooLong,
    /// A spreadsheet turned it into 1.39E+10 and its last digits are gone.
    LostDigits,
    /// A web, e-mail or SIP address.
    Address,
    /// A local landline without its area code.
    NoAreaCode,
    /// A foreign number without its `+`, such as 852 9123 4567.
    MissingPlus,
    /// Too few or too many digits.
    WrongLength,
    /// The right length, but in no range that is in use.
    NotValid,
    /// A number that cannot receive a confirmation, where a mobile number is wanted.
    NotMobile,
    /// More than one number, where exactly one is wanted.
    SeveralNumbers,
}

impl Refusal {
    /// Every reason there is, for tables and documentation.
    pub const ALL: [Self; 14] = [
        Self::Empty,
        Self::ShortCode,
        Self::ServiceNumber,
        Self::GroupShortNumber,
        Self::NotANumber,
        Self::TooLong,
        Self::LostDigits,
        Self::Address,
        Self::NoAreaCode,
        Self::MissingPlus,
        Self::WrongLength,
        Self::NotValid,
        Self::NotMobile,
        Self::SeveralNumbers,
    ];

    /// The stable code, in kebab case.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::ShortCode => "short-code",
            Self::ServiceNumber => "service-number",
            Self::GroupShortNumber => "group-short-number",
            Self::NotANumber => "not-a-number",
            Self::TooLong => "too-long",
            Self::LostDigits => "lost-digits",
            Self::Address => "address",
            Self::NoAreaCode => "no-area-code",
            Self::MissingPlus => "missing-plus",
            Self::WrongLength => "wrong-length",
            Self::NotValid => "not-valid",
            Self::NotMobile => "not-mobile",
            Self::SeveralNumbers => "several-numbers",
        }
    }

    /// A sentence that says what to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Empty => "There is nothing here; write a number or leave the field out.",
            Self::ShortCode => "Short numbers such as 110 belong to no person; nothing needs to be done.",
            Self::ServiceNumber => {
                "Service numbers such as 10086 belong to no person; nothing needs to be done."
            }
            Self::GroupShortNumber => {
                "A group's short number means nothing outside the group; write the person's full number."
            }
            Self::NotANumber => "There is no telephone number in this; write its digits.",
            Self::TooLong => "This is too long for a telephone field; put one number in it.",
            Self::LostDigits => {
                "A spreadsheet has rounded this number; format the column as text and export it again."
            }
            Self::Address => "This is an address and not a telephone number; write the number itself.",
            Self::NoAreaCode => "The area code is missing; write it in front, such as 010-65550100.",
            Self::MissingPlus => {
                "This looks like a number of another country; write + in front, such as +852 9123 4567."
            }
            Self::WrongLength => "This has too few or too many digits; compare it with the number itself.",
            Self::NotValid => "No such number is in use; compare it with the number itself.",
            Self::NotMobile => "A mobile number is needed here, because texts are sent to it.",
            Self::SeveralNumbers => "Exactly one number is needed here; remove the others.",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hint())
    }
}

impl std::error::Error for Refusal {}

impl serde::Serialize for Refusal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_own_code_and_a_sentence() {
        let codes: std::collections::BTreeSet<_> = Refusal::ALL.iter().map(|r| r.code()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            assert!(refusal.hint().ends_with('.'), "{refusal:?}");
        }
    }
}
