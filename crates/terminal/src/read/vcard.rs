//! vCard 2.1, 3.0 and 4.0: cards are told apart here, so that a broken one costs only itself.

use super::line::{Line, is_mark, unfold};
use super::{BookFile, CARDS_MAX, CardFault, Entry, Format, NESTING_MAX, RefusedCard, Telephone};

/// Whether a text has the first or last line of a card anywhere.
pub(super) fn is_vcard(text: &str) -> bool {
    text.lines().any(|line| is_mark(line, "BEGIN") || is_mark(line, "END"))
}

/// Reads all cards of a text.
pub(super) fn read(text: &str) -> BookFile {
    let mut cards = Cards::default();
    for line in unfold(text) {
        if cards.entries.len() + cards.open.len() >= CARDS_MAX && is_mark(&line.text, "BEGIN") {
            cards.refuse(line.number, CardFault::TooManyCards);
            break;
        }
        cards.take(&line);
    }
    cards.finish()
}

/// The cards read so far and those still open, the innermost last.
#[derive(Default)]
struct Cards {
    entries: Vec<Entry>,
    open: Vec<Entry>,
    refused: Vec<RefusedCard>,
    /// The last property was an `AGENT` whose value is the card that follows.
    agent: bool,
}

impl Cards {
    fn take(&mut self, line: &Line) {
        if is_mark(&line.text, "BEGIN") {
            // Outside of AGENT a card never stands in another: its END is missing.
            if !self.agent || self.open.len() >= NESTING_MAX {
                self.close_unfinished();
            }
            self.agent = false;
            self.begin(line.number);
            return;
        }
        if is_mark(&line.text, "END") {
            self.agent = false;
            self.entries.extend(self.open.pop());
            return;
        }
        if line.text.trim().is_empty() {
            return;
        }
        self.agent = false;
        match line.name().as_str() {
            "TEL" => self.take_telephone(line),
            "FN" => self.take_name(line, true),
            "N" => self.take_name(line, false),
            "AGENT" => self.take_agent(line),
            _ => {}
        }
    }

    fn begin(&mut self, line: usize) {
        self.open.push(Entry { line, name: None, telephones: Vec::new() });
    }

    fn refuse(&mut self, line: usize, fault: CardFault) {
        self.refused.push(RefusedCard { line, fault });
    }

    fn close_unfinished(&mut self) {
        for entry in std::mem::take(&mut self.open) {
            self.refuse(entry.line, CardFault::MissingEnd);
            self.entries.push(entry);
        }
    }

    fn take_telephone(&mut self, line: &Line) {
        if line.cut {
            return self.refuse(line.number, CardFault::LineTooLong);
        }
        let Some(value) = line.value() else {
            return self.refuse(line.number, CardFault::NoValue);
        };
        let raw = strip_scheme(value.trim());
        if raw.is_empty() {
            return;
        }
        if self.open.is_empty() {
            self.refuse(line.number, CardFault::MissingBegin);
            self.begin(line.number);
        }
        if let Some(entry) = self.open.last_mut() {
            entry.telephones.push(Telephone { line: line.number, raw: raw.to_owned() });
        }
    }

    /// The formatted name is preferred; the parts of a name stand in where there is none.
    fn take_name(&mut self, line: &Line, formatted: bool) {
        let Some(entry) = self.open.last_mut().filter(|entry| formatted || entry.name.is_none()) else {
            return;
        };
        let value = line.value().unwrap_or_default();
        let name = if formatted { value } else { value.replace(';', " ") };
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        if !name.is_empty() {
            entry.name = Some(name);
        }
    }

    /// vCard 2.1 puts the assistant's card on the lines that follow; where the card stands escaped
    /// inside the value, as in 3.0, it is part of that value.
    fn take_agent(&mut self, line: &Line) {
        let value = line.written_value().unwrap_or_default().trim();
        if value.eq_ignore_ascii_case("BEGIN:VCARD") && self.open.len() < NESTING_MAX {
            self.begin(line.number);
        } else {
            self.agent = value.is_empty();
        }
    }

    fn finish(mut self) -> BookFile {
        self.close_unfinished();
        self.entries.sort_by_key(|entry| entry.line);
        self.refused.sort_by_key(|refused| refused.line);
        BookFile {
            cards: self.entries.len(),
            entries: self.entries,
            refused: self.refused,
            format: Format::Vcard,
        }
    }
}

/// Takes the scheme off a telephone URI; an extension stays in the value.
fn strip_scheme(value: &str) -> &str {
    match value.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => rest.trim(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raws(book: &BookFile) -> Vec<&str> {
        book.entries
            .iter()
            .flat_map(|entry| &entry.telephones)
            .map(|telephone| telephone.raw.as_str())
            .collect()
    }

    #[test]
    fn a_missing_end_costs_nothing_and_is_reported() {
        let book =
            read("BEGIN:VCARD\nTEL:1390000\nBEGIN:VCARD\nTEL:1380000\nEND:VCARD\nBEGIN:VCARD\nTEL:137");
        assert_eq!(raws(&book), ["1390000", "1380000", "137"]);
        assert_eq!(book.cards, 3);
        let wanted = [1, 6].map(|line| RefusedCard { line, fault: CardFault::MissingEnd });
        assert_eq!(book.refused, wanted);
    }

    #[test]
    fn an_agents_card_is_a_card() {
        for agent in ["AGENT:\nBEGIN:VCARD", "AGENT;X=1:\n\nbegin:vcard", "AGENT:BEGIN:VCARD"] {
            let book = read(&format!("BEGIN:VCARD\nTEL:1\n{agent}\nTEL:2\nEND:VCARD\nTEL:3\nEND:VCARD\n"));
            assert_eq!(raws(&book), ["1", "3", "2"], "{agent}");
            assert_eq!((book.cards, book.refused.len()), (2, 0), "{agent}");
        }
    }

    #[test]
    fn a_telephone_outside_of_a_card_is_read_and_reported() {
        let book = read("TEL:1390000\nEND:VCARD\nBEGIN:VCARD\nTEL:138\nEND:VCARD");
        assert_eq!(raws(&book), ["1390000", "138"]);
        assert_eq!(book.refused, [RefusedCard { line: 1, fault: CardFault::MissingBegin }]);
    }

    #[test]
    fn every_telephone_has_its_line() {
        let book = read("BEGIN:VCARD\nNOTE:a\n b\n c\nTEL;VALUE=uri:tel:+86;ext=1\nTEL\nTEL:\nEND:VCARD");
        let telephones = &book.entries.first().unwrap().telephones;
        assert_eq!(
            telephones.iter().map(|t| (t.line, t.raw.as_str())).collect::<Vec<_>>(),
            [(5, "+86;ext=1")]
        );
        assert_eq!(book.refused, [RefusedCard { line: 6, fault: CardFault::NoValue }]);
    }

    #[test]
    fn the_formatted_name_wins() {
        let book = read("BEGIN:VCARD\nN:张;三;;;\nFN:张三\nEND:VCARD\nBEGIN:VCARD\nFN:\nN:Li;Na\nEND:VCARD");
        let names: Vec<_> = book.entries.iter().map(|entry| entry.name.as_deref()).collect();
        assert_eq!(names, [Some("张三"), Some("Li Na")]);
    }

    #[test]
    fn more_cards_than_the_limit_are_refused_with_the_line() {
        let text = "BEGIN:VCARD\nEND:VCARD\n".repeat(CARDS_MAX + 2);
        let book = read(&text);
        assert_eq!(book.cards, CARDS_MAX);
        assert_eq!(book.refused, [RefusedCard { line: 2 * CARDS_MAX + 1, fault: CardFault::TooManyCards }]);
    }
}
