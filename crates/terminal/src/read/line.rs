//! The lines of a vCard: unfolding, and one property's name, parameters and value.

use std::iter::Peekable;

use calcard::vcard::{VCardProperty, VCardValue};
use calcard::{Entry as Parsed, Parser};

use super::LINE_BYTES_MAX;

/// One property as written over one or more lines.
pub(super) struct Line {
    /// The first of its lines, from 1.
    pub(super) number: usize,
    pub(super) text: String,
    /// True when it is longer than [`LINE_BYTES_MAX`] and was cut there.
    pub(super) cut: bool,
}

/// Joins folded lines and quoted-printable lines that end in `=`.
pub(super) fn unfold(text: &str) -> impl Iterator<Item = Line> + '_ {
    let mut lines = text.split('\n').enumerate().peekable();
    std::iter::from_fn(move || next_line(&mut lines))
}

fn next_line<'a>(lines: &mut Peekable<impl Iterator<Item = (usize, &'a str)>>) -> Option<Line> {
    let (index, first) = lines.next()?;
    let mut line = Line { number: index + 1, text: String::new(), cut: false };
    line.push(first.trim_end_matches('\r').trim_start_matches('\u{feff}'));
    let quoted = is_quoted_printable(&line.text);
    while let Some((_, next)) = lines.peek() {
        let soft = quoted && line.text.trim_end().ends_with('=');
        if soft && !is_boundary(next) {
            line.text.truncate(line.text.trim_end().len() - 1);
            line.push(next.strip_prefix([' ', '\t']).unwrap_or(next));
        } else if let Some(rest) = next.strip_prefix([' ', '\t']).filter(|_| !is_boundary(next)) {
            line.push(rest);
        } else {
            break;
        }
        lines.next();
    }
    Some(line)
}

impl Line {
    fn push(&mut self, text: &str) {
        let mut room = LINE_BYTES_MAX.saturating_sub(self.text.len());
        if text.len() <= room {
            self.text.push_str(text);
            return;
        }
        self.cut = true;
        while !text.is_char_boundary(room) {
            room -= 1;
        }
        self.text.push_str(text.get(..room).unwrap_or_default());
    }

    /// What stands before the colon, and the value behind it, if there is a colon.
    fn split(&self) -> Option<(&str, &str)> {
        let mut quoted = false;
        for (at, byte) in self.text.bytes().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b':' if !quoted => {
                    let (head, rest) = self.text.split_at_checked(at)?;
                    return Some((head, rest.strip_prefix(':')?));
                }
                _ => {}
            }
        }
        // An odd quotation mark must not hide the number.
        self.text.split_once(':')
    }

    /// The property's name in capitals, without its group.
    pub(super) fn name(&self) -> String {
        let end = self.text.find([';', ':']).unwrap_or(self.text.len());
        let name = self.text.get(..end).unwrap_or_default();
        name.rsplit('.').next().unwrap_or(name).trim().to_ascii_uppercase()
    }

    /// The value as written, before decoding.
    pub(super) fn written_value(&self) -> Option<&str> {
        self.split().map(|(_, value)| value)
    }

    /// The value decoded: encoding, charset and escapes undone by calcard. None without a colon.
    ///
    /// Only the two parameters that matter are passed on, in the one spelling that every version
    /// shares, so that a bare `;QUOTED-PRINTABLE` and an exporter's inventions cannot disturb it.
    pub(super) fn value(&self) -> Option<String> {
        let (head, value) = self.split()?;
        let (quoted, binary, charset) = read_parameters(head);
        let encoding = match (quoted, binary) {
            (true, _) => ";ENCODING=QUOTED-PRINTABLE",
            (_, true) => ";ENCODING=BASE64",
            _ => "",
        };
        // Where no charset is given, UTF-8 fits or it does not, and then old Chinese phones come first.
        let guesses: &[&str] = match charset.as_deref() {
            Some(charset) => &[charset],
            None if encoding.is_empty() => &[""],
            None => &["UTF-8", "GB18030", "ISO-8859-1"],
        };
        let values = guesses.iter().filter_map(|charset| {
            let charset = if charset.is_empty() { String::new() } else { format!(";CHARSET={charset}") };
            parse_value(&format!(
                "BEGIN:VCARD\r\nVERSION:3.0\r\nTEL{charset}{encoding}:{value}\r\nEND:VCARD\r\n"
            ))
        });
        let mut values: Vec<String> = values.collect();
        // Where nothing fits, the first guess with its gaps is still better than the codes.
        let clean = values.iter().position(|value| !value.contains(char::REPLACEMENT_CHARACTER));
        let chosen = clean.unwrap_or(0);
        Some(if chosen < values.len() { values.swap_remove(chosen) } else { value.to_owned() })
    }
}

/// Whether a property is in quoted-printable, whether in base64, and its charset.
fn read_parameters(head: &str) -> (bool, bool, Option<String>) {
    let (mut quoted, mut binary, mut charset) = (false, false, None);
    for parameter in head.split(';').skip(1) {
        let (key, setting) = parameter.split_once('=').unwrap_or(("ENCODING", parameter));
        let setting = setting.trim().trim_matches('"');
        if key.trim().eq_ignore_ascii_case("CHARSET") {
            let name: String =
                setting.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
            charset = Some(name).filter(|name| !name.is_empty());
        } else if key.trim().eq_ignore_ascii_case("ENCODING") {
            match setting.to_ascii_uppercase().as_str() {
                "QUOTED-PRINTABLE" | "Q" => quoted = true,
                "BASE64" | "B" => binary = true,
                _ => {}
            }
        }
    }
    (quoted, binary, charset)
}

fn parse_value(card: &str) -> Option<String> {
    let Parsed::VCard(card) = Parser::new(card).entry() else { return None };
    let entry = card.entries.into_iter().find(|entry| entry.name == VCardProperty::Tel)?;
    match entry.values.into_iter().next()? {
        VCardValue::Text(text) => Some(text),
        VCardValue::Binary(data) => Some(String::from_utf8_lossy(&data.data).into_owned()),
        _ => None,
    }
}

fn is_quoted_printable(text: &str) -> bool {
    let head = text.split(':').next().unwrap_or_default();
    head.to_ascii_uppercase().contains("QUOTED-PRINTABLE")
}

/// Whether a line begins or ends a card, so that nothing before it may swallow it.
fn is_boundary(text: &str) -> bool {
    is_mark(text, "BEGIN") || is_mark(text, "END")
}

/// Whether a line is `BEGIN:VCARD` or `END:VCARD`, in any case, with stray spaces.
pub(super) fn is_mark(text: &str, mark: &str) -> bool {
    let Some((name, value)) = text.split_once(':') else { return false };
    let name = name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    name.eq_ignore_ascii_case(mark) && value.trim().eq_ignore_ascii_case("VCARD")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(usize, String, String)> {
        unfold(text).map(|line| (line.number, line.name(), line.value().unwrap_or_default())).collect()
    }

    #[test]
    fn values_are_decoded_whatever_the_exporter_wrote() {
        for (text, wanted) in [
            ("TEL;CELL:139", "139"),
            ("item1.TEL;type=CELL;type=pref:139", "139"),
            ("TEL;VALUE=uri;TYPE=\"voice,cell:x\":tel:+86", "tel:+86"),
            ("TEL;QUOTED-PRINTABLE:=2B86", "+86"),
            ("TEL;ENCODING=QUOTED-PRINTABLE:=2B86=\n139", "+86139"),
            ("TEL;X-A(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,=E7=9F=AD):661234", "661234"),
            ("TEL;ENCODING=b:MTM5", "139"),
            ("FN;QUOTED-PRINTABLE:=E8=B5=B5", "赵"),
            ("FN;ENCODING=QUOTED-PRINTABLE:=D5=D4=C1=F9", "赵六"),
            ("TEL;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:139=FF", "139\u{fffd}"),
            ("FN;CHARSET=nonsense;ENCODING=QUOTED-PRINTABLE:A=42", "AB"),
            ("TEL:1\n 39", "139"),
            ("TEL:139\\,801", "139,801"),
            ("TEL;TYPE=\"cell:139", "139"),
            ("FN;CHARSET=gb2312;ENCODING=QUOTED-PRINTABLE:=D5=D4=C1=F9", "赵六"),
        ] {
            assert_eq!(values(text).first().map(|value| value.2.as_str()), Some(wanted), "{text}");
        }
    }

    #[test]
    fn a_card_boundary_ends_a_line_that_wants_to_go_on() {
        let read = values("NOTE;ENCODING=QUOTED-PRINTABLE:a=\nEND:VCARD");
        assert_eq!(read.iter().map(|value| value.0).collect::<Vec<_>>(), [1, 2]);
    }
}
