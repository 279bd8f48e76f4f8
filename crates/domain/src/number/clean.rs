//! Takes the ways of writing off a field, before anyone asks what number it is.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The first digit of every script that address books have been seen to write numbers in.
///
/// Arabic-Indic, its eastern form, Devanagari, Bengali, Thai, Lao, Myanmar and Khmer; full-width
/// digits are folded by NFKC already. Source: Unicode, general category Nd.
const SCRIPT_ZEROS: [u32; 8] = [0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, 0x0ED0, 0x1040, 0x17E0];

/// The same field in plain characters: compatibility forms and foreign digits folded, invisible
/// marks gone, spreadsheet guards and quotes taken off, line ends kept.
pub(super) fn clean(raw: &str) -> Cow<'_, str> {
    if raw.bytes().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'_' | b'%')) {
        return Cow::Borrowed(strip_dressing(raw));
    }
    let seen = raw.chars().filter(|c| !is_invisible(*c));
    let folded: String = if raw.chars().all(folds_simply) {
        seen.filter_map(|c| plain(fold_width(c))).collect()
    } else {
        seen.nfkc().filter_map(plain).collect()
    };
    let text = strip_dressing(&folded);
    // An escaped telephone URI; other escapes occur in no number.
    let unescaped = text.replace("%2B", "+").replace("%2b", "+").replace("%20", " ");
    Cow::Owned(strip_dressing(&unescaped).to_owned())
}

fn strip_dressing(text: &str) -> &str {
    strip_zero_fraction(strip_guards(text.trim()))
}

/// Characters whose compatibility form is known without a table: ASCII, its full-width forms,
/// Chinese characters and marks, directional marks.
fn folds_simply(c: char) -> bool {
    matches!(c, '\0'..='\u{7F}' | '\u{A0}' | '\u{2010}' | '\u{2012}'..='\u{2015}' | '\u{3000}'..='\u{3002}' | '\u{4E00}'..='\u{9FFF}' | '\u{FF01}'..='\u{FF5E}')
        || is_invisible(c)
}

/// Full-width ASCII and spaces as plain ones.
fn fold_width(c: char) -> char {
    match c {
        '\u{A0}' | '\u{3000}' => ' ',
        // Full-width forms stand in the order of ASCII from the exclamation mark on.
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFF01 + 0x21).unwrap_or(c),
        c => c,
    }
}

/// Marks that set the direction or width of text and that phones store with copied numbers.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{00AD}')
}

fn plain(c: char) -> Option<char> {
    if c.is_ascii() {
        return match c {
            '\n' => Some('\n'),
            '\r' => Some('\n'),
            '\t' => Some(' '),
            '_' => Some('-'),
            c if c.is_ascii_control() => None,
            c => Some(c),
        };
    }
    // Dots that stand at half height separate groups of digits in Chinese and Japanese text.
    if matches!(c, '\u{00B7}' | '\u{2022}' | '\u{2027}' | '\u{30FB}') {
        return Some(' ');
    }
    let code = u32::from(c);
    for zero in SCRIPT_ZEROS {
        if (zero..zero + 10).contains(&code) {
            return char::from_digit(code - zero, 10);
        }
    }
    if c.is_control() { None } else { Some(c) }
}

/// Takes off `="…"`, surrounding quotes and the apostrophe that keeps a spreadsheet from computing.
fn strip_guards(text: &str) -> &str {
    let quotes: &[char] = &['"', '\'', '\u{2018}', '\u{2019}', '\u{201C}', '\u{201D}', '`'];
    let mut text = text;
    loop {
        let before = text;
        if let Some(rest) = text.strip_prefix('=') {
            text = rest.trim();
        }
        text = text.trim_matches(quotes).trim();
        if text.len() == before.len() {
            return text;
        }
    }
}

/// Takes off the `.0` that a table of floating-point numbers leaves behind a whole number.
fn strip_zero_fraction(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, fraction))
            if !fraction.is_empty()
                && fraction.bytes().all(|b| b == b'0')
                // Seven digits are the least that a whole number has; fewer may be a first group.
                && whole.len() >= 7
                && whole.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit()) =>
        {
            whole
        }
        _ => text,
    }
}

/// Whether a spreadsheet has turned the number into powers of ten, such as `1.38E+10`.
pub(super) fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let exponent = exponent.trim_start_matches('+');
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    (1..=2).contains(&exponent.len())
        && digits(exponent)
        && whole.len() == 1
        && digits(whole)
        && digits(fraction)
}

/// Whether the field holds an address of another kind.
pub(super) fn is_address(text: &str) -> bool {
    text.contains('@')
        || (text.contains(':') && text.contains("://"))
        || (text.contains('w') && text.contains("www."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_and_forms_come_off() {
        for (raw, plain) in [
            ("=\"13800138000\"", "13800138000"),
            ("'13800138000", "13800138000"),
            ("\"13800138000\"", "13800138000"),
            ("＋８６　１３８", "+86 138"),
            ("\u{202a}+86 138\u{202c}", "+86 138"),
            ("١٢٣", "123"),
            ("13800138000.0", "13800138000"),
            ("13800.00", "13800.00"),
            ("tel:%2B8613800138000", "tel:+8613800138000"),
            (" \t ", ""),
        ] {
            assert_eq!(clean(raw), plain, "{raw}");
        }
    }

    #[test]
    fn the_simple_way_of_folding_agrees_with_nfkc() {
        for c in (0..=0xFFFF_u32).filter_map(char::from_u32).filter(|c| folds_simply(*c) && !is_invisible(*c))
        {
            assert_eq!(c.to_string().nfkc().collect::<String>(), fold_width(c).to_string(), "{c:?}");
        }
    }

    #[test]
    fn rounded_numbers_are_told_from_numbers() {
        for yes in ["1.38E+10", "1.3800000000E+10", "1e10", "1,39E+10"] {
            assert!(is_scientific(yes), "{yes}");
        }
        for no in ["138", "E10", "13800E1", "1.38E+100", "1.38 E+10x"] {
            assert!(!is_scientific(no), "{no}");
        }
    }
}
