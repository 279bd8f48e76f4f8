//! The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038 section 6.2.1), one septet an octet.

/// Announces a character of the extension table.
const ESCAPE: u8 = 0x1B;

/// The default alphabet in the order of its septets; at 0x1B stands the escape itself.
const DEFAULT: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1b}', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// The one or two septets of a character, as many octets; `None` if the alphabet lacks it.
pub(crate) fn encode_char(c: char) -> Option<([u8; 4], usize)> {
    if c == '\u{1b}' {
        return None;
    }
    if let Some(septet) = DEFAULT.iter().position(|&known| known == c) {
        return Some(([u8::try_from(septet).ok()?, 0, 0, 0], 1));
    }
    let (septet, _) = EXTENSION.iter().find(|(_, known)| *known == c)?;
    Some(([ESCAPE, *septet, 0, 0], 2))
}

/// Reads septets, one an octet. An unknown extension reads as the default alphabet's character at that
/// place (section 6.2.1.1); an octet above 0x7F is no septet and reads as ISO 8859-1, which is what centres
/// mean by it that send it.
pub(crate) fn decode(septets: &[u8]) -> String {
    let mut text = String::with_capacity(septets.len());
    let mut escaped = false;
    for &septet in septets {
        if septet == ESCAPE && !escaped {
            escaped = true;
            continue;
        }
        let extension = EXTENSION.iter().find(|(known, _)| *known == septet).filter(|_| escaped);
        match (extension, DEFAULT.get(usize::from(septet))) {
            (Some((_, c)), _) => text.push(*c),
            // Two escapes in a row are reserved for another table; a space is what the standard asks for.
            (None, Some('\u{1b}')) => text.push(' '),
            (None, Some(c)) => text.push(*c),
            (None, None) => text.push(char::from(septet)),
        }
        escaped = false;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_both_tables_returns() {
        for c in DEFAULT.into_iter().filter(|&c| c != '\u{1b}').chain(EXTENSION.map(|(_, c)| c)) {
            let (octets, length) = encode_char(c).unwrap();
            assert_eq!(decode(&octets[..length]), c.to_string());
        }
    }

    #[test]
    fn the_tables_agree_with_the_standard_at_known_places() {
        for (septet, c) in
            [(0x00, '@'), (0x02, '$'), (0x11, '_'), (0x24, '¤'), (0x40, '¡'), (0x5B, 'Ä'), (0x7F, 'à')]
        {
            assert_eq!(encode_char(c), Some(([septet, 0, 0, 0], 1)));
        }
        assert_eq!(encode_char('€'), Some(([0x1B, 0x65, 0, 0], 2)));
        assert_eq!(encode_char('中'), None);
        assert_eq!(encode_char('`'), None);
    }

    #[test]
    fn odd_septets_read_as_the_standard_says() {
        assert_eq!(decode(&[0x1B, 0x41]), "A");
        assert_eq!(decode(&[0x1B, 0x1B, 0x41]), " A");
        assert_eq!(decode(&[0x41, 0x1B]), "A");
        assert_eq!(decode(&[0xE9]), "é");
    }
}
