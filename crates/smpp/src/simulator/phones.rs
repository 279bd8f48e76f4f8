//! Phones and what their screens show.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Phones kept; one more forgets the phone that came first.
const PHONES_MAX: usize = 100_000;
/// Texts kept a phone; one more drops the oldest.
const TEXTS_MAX: usize = 1_000;

/// A text on a phone's screen.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ShownText {
    /// The sender as a phone shows it.
    pub from: String,
    /// The whole text, its parts joined.
    pub text: String,
    /// When it came, RFC 3339 UTC.
    pub at: String,
}

impl std::fmt::Debug for ShownText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ShownText({} characters at {})", self.text.chars().count(), self.at)
    }
}

/// All phones by number in E.164 with its `+`.
#[derive(Default)]
pub(super) struct Phones {
    screens: HashMap<String, VecDeque<ShownText>>,
    order: VecDeque<String>,
    watchers: Vec<UnboundedSender<(String, ShownText)>>,
}

impl Phones {
    pub(super) fn watch(&mut self) -> UnboundedReceiver<(String, ShownText)> {
        let (watcher, shown) = unbounded_channel();
        self.watchers.push(watcher);
        shown
    }

    pub(super) fn show(&mut self, number: &str, text: ShownText) {
        self.watchers.retain(|watcher| watcher.send((number.to_owned(), text.clone())).is_ok());
        if !self.screens.contains_key(number) {
            if self.order.len() >= PHONES_MAX
                && let Some(first) = self.order.pop_front()
            {
                self.screens.remove(&first);
            }
            self.order.push_back(number.to_owned());
        }
        let screen = self.screens.entry(number.to_owned()).or_default();
        if screen.len() >= TEXTS_MAX {
            screen.pop_front();
        }
        screen.push_back(text);
    }

    pub(super) fn texts(&self, number: &str) -> Vec<ShownText> {
        self.screens.get(number).into_iter().flatten().cloned().collect()
    }
}

/// Reads a number in international, 00, trunk or national form as E.164 with its `+`; `None` if it has no
/// digits or too many. `ton` is the type of number, 0 where nothing says.
pub(super) fn e164(number: &str, ton: u8, country: &str) -> Option<String> {
    let number = number.trim();
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    // E.164 allows 15 digits; the 00 prefix adds two.
    if digits.is_empty() || digits.len() > 17 {
        return None;
    }
    if let Some(rest) = digits.strip_prefix("00") {
        return Some(format!("+{rest}"));
    }
    if number.starts_with('+') || ton == 1 {
        return Some(format!("+{digits}"));
    }
    let national = digits.strip_prefix('0');
    if ton == 2 || national.is_some() || is_mobile(&digits) {
        return Some(format!("+{country}{}", national.unwrap_or(&digits)));
    }
    Some(format!("+{digits}"))
}

/// A Chinese mobile number in national form: 11 digits from 13 to 19.
fn is_mobile(digits: &str) -> bool {
    digits.len() == 11 && matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_names_the_same_phone() {
        for (number, ton) in [
            ("8613800138000", 0),
            ("8613800138000", 1),
            ("+8613800138000", 0),
            ("008613800138000", 0),
            ("13800138000", 0),
            ("13800138000", 2),
            ("013800138000", 0),
            ("+86 138 0013 8000", 0),
        ] {
            assert_eq!(e164(number, ton, "86").as_deref(), Some("+8613800138000"), "{number} {ton}");
        }
        assert_eq!(e164("14155550123", 1, "86").as_deref(), Some("+14155550123"));
        assert_eq!(e164("", 0, "86"), None);
        assert_eq!(e164("123456789012345678", 0, "86"), None);
    }

    #[test]
    fn screens_and_phones_have_limits() {
        let text = |text: &str| ShownText { from: String::new(), text: text.to_owned(), at: String::new() };
        let mut phones = Phones::default();
        for index in 0..=TEXTS_MAX {
            phones.show("+1", text(&index.to_string()));
        }
        let texts = phones.texts("+1");
        assert_eq!((texts.len(), texts[0].text.as_str()), (TEXTS_MAX, "1"));
        for index in 0..PHONES_MAX {
            phones.show(&format!("+2{index}"), text(""));
        }
        assert_eq!(phones.texts("+1"), []);
        assert_eq!(phones.screens.len(), PHONES_MAX);
    }
}
