//! What is remembered of a server's address books between two pulls.

use std::collections::BTreeMap;
use std::fmt;

use http::Uri;
use serde::{Deserialize, Serialize};

/// The books of one server as they were pulled last: telephone lines, and no names.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mirror {
    /// Of which server and person.
    address: String,
    user: String,
    /// By their addresses.
    #[serde(default)]
    pub(super) books: BTreeMap<String, MirroredBook>,
    /// Cards fetched by a pull that broke off: they do not count yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) fetched: BTreeMap<String, Card>,
}

/// One book.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MirroredBook {
    /// Since when changes are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    /// By their addresses.
    pub(super) cards: BTreeMap<String, Card>,
}

/// One card: its version, and its lines with telephones.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Card {
    pub(super) etag: String,
    pub(super) text: String,
}

impl Mirror {
    /// Forgets what is of another server, or another person at it.
    pub(super) fn be_of(&mut self, address: &Uri, user: &str) {
        let address = address.to_string();
        if (&self.address, self.user.as_str()) != (&address, user) {
            *self = Self { address, user: user.to_owned(), ..Self::default() };
        }
    }

    /// All cards as one file to scan.
    pub fn to_file(&self) -> Vec<u8> {
        let cards = self.books.values().flat_map(|book| book.cards.values());
        cards.flat_map(|card| card.text.bytes()).collect()
    }

    /// Every card's version.
    pub(super) fn etags(&self) -> BTreeMap<String, String> {
        Self::etags_of(&self.books)
    }

    pub(super) fn etags_of(books: &BTreeMap<String, MirroredBook>) -> BTreeMap<String, String> {
        let cards = books.values().flat_map(|book| &book.cards).filter(|(_, card)| !card.text.is_empty());
        cards.map(|(href, card)| (href.clone(), card.etag.clone())).collect()
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cards: usize = self.books.values().map(|book| book.cards.len()).sum();
        write!(f, "Mirror({} books, {cards} cards)", self.books.len())
    }
}

/// The lines of a card that a telephone needs to be read, folded ones whole: names, notes and pictures stay
/// where they are.
pub(super) fn telephone_lines(card: &str) -> String {
    let (mut kept, mut keeping) = (String::new(), false);
    for line in card.lines() {
        if !line.starts_with([' ', '\t']) {
            let name = line.split([':', ';']).next().unwrap_or_default();
            let name = name.rsplit('.').next().unwrap_or_default().trim();
            keeping = ["BEGIN", "VERSION", "TEL", "END"].iter().any(|word| name.eq_ignore_ascii_case(word));
        }
        if keeping {
            kept.push_str(line);
            kept.push_str("\r\n");
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_card_the_telephones_are_kept_and_no_name() {
        let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Li\r\n Hua\r\nitem1.TEL;TYPE=cell:+86 139\r\n 0013 9002\r\n\
                    PHOTO;ENCODING=b:TEL\r\n AAAA\r\nitem1.X-ABLabel:own\r\ntel:110\r\nEND:VCARD\r\n";
        let kept = "BEGIN:VCARD\r\nVERSION:3.0\r\nitem1.TEL;TYPE=cell:+86 139\r\n 0013 9002\r\ntel:110\r\nEND:VCARD\r\n";
        assert_eq!(telephone_lines(card), kept);
    }
}
