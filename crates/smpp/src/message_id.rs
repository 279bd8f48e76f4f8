//! Message ids, which centres write in one form in the answer and in another in the receipt.

/// How a centre writes its message ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MessageIdForm {
    /// As text: the answer and the receipt agree but for case and leading zeros.
    #[default]
    Text,
    /// As a decimal number.
    Decimal,
    /// As a hexadecimal number.
    Hex,
}

/// Folds a message id so that the same id compares equal however it was written.
///
/// Numbers become decimal without leading zeros; what is not a number of the stated form, and every
/// [`MessageIdForm::Text`], becomes lower case without leading zeros.
#[must_use]
pub fn fold_message_id(id: &str, form: MessageIdForm) -> String {
    let id = id.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    let number = match form {
        MessageIdForm::Text => None,
        MessageIdForm::Decimal => digits(id, 10),
        MessageIdForm::Hex => {
            digits(id.strip_prefix("0x").or_else(|| id.strip_prefix("0X")).unwrap_or(id), 16)
        }
    };
    match number {
        Some(number) => number.to_string(),
        None => {
            let folded = id.to_lowercase();
            let bare = folded.trim_start_matches('0');
            // An id of zeros alone keeps one, so that it is not mistaken for no id at all.
            if bare.is_empty() && !folded.is_empty() { "0".to_owned() } else { bare.to_owned() }
        }
    }
}

fn digits(id: &str, radix: u32) -> Option<u128> {
    // from_str_radix takes a sign, which no message id has.
    (!id.starts_with(['+', '-'])).then(|| u128::from_str_radix(id, radix).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use MessageIdForm::{Decimal, Hex, Text};

    #[test]
    fn ids_fold_however_they_are_written() {
        for (id, form, folded) in [
            ("0000123", Text, "123"),
            ("00AbC", Text, "abc"),
            ("0000", Text, "0"),
            ("", Text, ""),
            ("0000123", Decimal, "123"),
            ("7B", Hex, "123"),
            ("0x7b", Hex, "123"),
            ("0000007b", Hex, "123"),
            ("a-b", Hex, "a-b"),
            ("+12", Decimal, "+12"),
            (" 12\0", Decimal, "12"),
            ("ffffffffffffffffffffffffffffffffff", Hex, "ffffffffffffffffffffffffffffffffff"),
        ] {
            assert_eq!(fold_message_id(id, form), folded, "{id:?} {form:?}");
        }
    }

    #[test]
    fn a_hexadecimal_answer_meets_a_decimal_receipt() {
        assert_eq!(fold_message_id("07D3A", Hex), fold_message_id("0000032058", Decimal));
    }
}
