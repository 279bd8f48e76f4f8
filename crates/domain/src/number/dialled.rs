//! Cuts a field into the stretches that somebody could dial.

/// Characters that stand between the digits of one number: the spaces, brackets, dashes and dots
/// that libphonenumber allows, without the letter x.
fn is_dialled(c: char) -> bool {
    c.is_ascii_digit()
        || matches!(c, '+' | ' ' | '(' | ')' | '[' | ']' | '-' | '.' | '/' | '~')
        || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30FC}' | '\u{2053}' | '\u{223C}')
}

/// The dash-like characters of [`is_dialled`].
pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30FC}')
}

/// The stretches of dialled characters that have a digit, in their order.
pub(super) fn stretches(text: &str) -> Vec<&str> {
    text.split(|c| !is_dialled(c))
        .filter(|part| part.bytes().any(|b| b.is_ascii_digit()))
        .map(str::trim)
        .collect()
}

/// The ASCII digits of a text and nothing else.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// How many ASCII digits a text has.
pub(super) fn count_digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Cuts a short extension off a number: `025-24153875-174`, `021-68888888(801)`.
///
/// Ten digits in front are the least that a mainland number with its area code has; an extension
/// has six at most.
pub(super) fn cut_tail(text: &str) -> Option<&str> {
    let (front, tail) = text.rsplit_once(|c| is_dash(c) || c == '(' || c == '/')?;
    let fits = (1..=6).contains(&count_digits(tail)) && count_digits(front) >= 10;
    fits.then_some(front)
}

/// Takes off the service code that hides or shows the caller, `*31#` and its like.
///
/// Source: 3GPP TS 22.030, annex B (calling line identification restriction); `*67` and `*82` in
/// North America.
pub(super) fn strip_caller_id_code(text: &str) -> &str {
    for code in ["*31#", "#31#", "*30#", "#30#", "*67", "*82"] {
        if let Some(rest) = text.strip_prefix(code) {
            return rest.trim_start();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_end_at_letters_and_separators() {
        assert_eq!(stretches("手机:138 0013 8000"), ["138 0013 8000"]);
        assert_eq!(stretches("17911,13800138000"), ["17911", "13800138000"]);
        assert_eq!(stretches("021-68888888转801"), ["021-68888888", "801"]);
        assert_eq!(stretches("无 (-)"), Vec::<&str>::new());
    }

    #[test]
    fn only_a_short_tail_is_an_extension() {
        assert_eq!(cut_tail("025-24153875-174"), Some("025-24153875"));
        assert_eq!(cut_tail("021-68888888(801)"), Some("021-68888888"));
        assert_eq!(cut_tail("138-0013-8000"), None);
    }
}
