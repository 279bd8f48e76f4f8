//! The second confirmation: its code, and what an answer by text means.

use unicode_normalization::UnicodeNormalization;

use crate::world::World;

/// The four digits that confirm one order.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfirmationCode(String);

impl ConfirmationCode {
    /// Throws a code that is not 0000, does not look like a year, and is none of those `taken`.
    pub fn throw(world: &World, taken: &[Self]) -> Self {
        loop {
            let number = world.below(10_000);
            let code = Self(format!("{number:04}"));
            let looks_like_a_year = (1900..2100).contains(&number);
            if number != 0 && !looks_like_a_year && !taken.contains(&code) {
                return code;
            }
        }
    }

    /// Reads four ASCII digits.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| Self(text.to_owned()))
    }

    /// The digits: for the text that carries them, and the sealed row that keeps them.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ConfirmationCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConfirmationCode(****)")
    }
}

/// What answers an order's prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The four digits of the order's own code.
    Code,
    /// One fixed word for every order, as some operators prescribe.
    Word(String),
}

/// One order that waits for its answer.
#[derive(Debug, Clone)]
pub struct Waiting<T> {
    /// Which order.
    pub order: T,
    /// Its code.
    pub code: ConfirmationCode,
    /// Whether the reply was sent to this order's own sender address.
    pub addressed: bool,
}

/// What a reply means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<T> {
    /// The prescribed answer to this order.
    Confirm(T),
    /// A refusal of this order.
    Declined(T),
    /// A wrong answer to this order.
    Mismatch(T),
    /// A bare yes: no attempt; to be answered once with "reply with the four digits".
    AskForCode,
    /// Wants to know what to do; also any text that cannot be placed while several orders wait.
    Help,
    /// To the common number while no order waits: wants to unsubscribe.
    Unsubscribe,
    /// Nothing waits, and it asks for nothing that is known.
    Unplaced,
}

const YES: [&str; 8] = ["是", "Y", "YES", "OK", "好", "确认", "同意", "订"];
const NO: [&str; 14] =
    ["否", "N", "NO", "不", "不订", "不要", "不是", "取消", "QX", "STOP", "TD", "退订", "0000", "拒绝"];
const UNSUBSCRIBE: [&str; 3] = ["TD", "退订", "0000"];
const HELP: [&str; 4] = ["HELP", "帮助", "BZ", "?"];

/// Whether a text asks for the free way back from what was started last.
pub fn is_way_back(text: &str) -> bool {
    plain(text) == "QX"
}

/// Reads a reply against the orders that wait for one from this phone.
///
/// The code decides which order is meant; the address only places a text without a code; nothing is
/// ever guessed between several.
pub fn read_reply<T: Clone>(text: &str, answer: &Answer, waiting: &[Waiting<T>]) -> Reply<T> {
    let text = plain(text);
    let placed = place(waiting);
    if let Answer::Word(word) = answer {
        return read_word(&text, &plain(word), placed);
    }
    if HELP.contains(&text.as_str()) {
        return Reply::Help;
    }
    let (code, rest) = split_code(&text, waiting);
    if let Some(order) = code {
        return match rest.as_str() {
            "" | "是" | "Y" | "YES" => Reply::Confirm(order),
            rest if NO.contains(&rest) => Reply::Declined(order),
            _ => Reply::Mismatch(order),
        };
    }
    match placed {
        Placed::Nothing if UNSUBSCRIBE.contains(&text.as_str()) => Reply::Unsubscribe,
        Placed::Nothing => Reply::Unplaced,
        Placed::Several if YES.contains(&text.as_str()) => Reply::AskForCode,
        Placed::Several => Reply::Help,
        Placed::One(_) if YES.contains(&text.as_str()) => Reply::AskForCode,
        Placed::One(order) if NO.contains(&text.as_str()) => Reply::Declined(order),
        Placed::One(order) => Reply::Mismatch(order),
    }
}

fn read_word<T>(text: &str, word: &str, placed: Placed<T>) -> Reply<T> {
    // A phone's signature follows on lines of its own: only the first line is the answer.
    let first = text.lines().next().unwrap_or("").trim();
    match placed {
        Placed::Nothing if UNSUBSCRIBE.contains(&first) => Reply::Unsubscribe,
        Placed::Nothing => Reply::Unplaced,
        Placed::Several => Reply::Help,
        Placed::One(order) if first == word => Reply::Confirm(order),
        Placed::One(order) => Reply::Mismatch(order),
    }
}

enum Placed<T> {
    Nothing,
    One(T),
    Several,
}

fn place<T: Clone>(waiting: &[Waiting<T>]) -> Placed<T> {
    let mut addressed = waiting.iter().filter(|w| w.addressed);
    match (addressed.next(), addressed.next(), waiting) {
        (Some(one), None, _) | (None, _, [one]) => Placed::One(one.order.clone()),
        (None, _, []) => Placed::Nothing,
        _ => Placed::Several,
    }
}

/// Full-width to half-width, capitals, no quotes, no closing punctuation.
fn plain(text: &str) -> String {
    let text: String = text.nfkc().collect::<String>().to_uppercase();
    let quote = |c: char| matches!(c, '"' | '\'' | '“' | '”' | '‘' | '’' | '「' | '」' | '《' | '》');
    let close = |c: char| c.is_whitespace() || matches!(c, '.' | '。' | '!' | ',' | ';' | '~' | '\u{feff}');
    text.trim_matches(|c| close(c) || quote(c)).to_owned()
}

/// Finds the one waiting order whose code stands alone among the text's digits; gives back what else
/// the text's first line says. A line after the first is taken for a phone's signature.
fn split_code<T: Clone>(text: &str, waiting: &[Waiting<T>]) -> (Option<T>, String) {
    let line = text.lines().next().unwrap_or("");
    let runs: Vec<&str> = line.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
    let [run] = runs.as_slice() else { return (None, String::new()) };
    let order = waiting.iter().find(|w| w.code.expose() == *run).map(|w| w.order.clone());
    let noise =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '.' | '"' | '“' | '”' | '-' | '、');
    let rest = line.replacen(run, "", 1);
    (order, rest.trim_matches(noise).to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::world::{SeededDice, SetClock};

    fn waiting(codes: &[(&str, bool)]) -> Vec<Waiting<usize>> {
        let one = |(order, (code, addressed)): (usize, &(&str, bool))| Waiting {
            order,
            code: ConfirmationCode::parse(code).unwrap(),
            addressed: *addressed,
        };
        codes.iter().enumerate().map(one).collect()
    }

    fn word(reply: &Reply<usize>) -> &'static str {
        match reply {
            Reply::Confirm(_) => "confirm",
            Reply::Declined(_) => "declined",
            Reply::Mismatch(_) => "mismatch",
            Reply::AskForCode => "ask_for_code",
            Reply::Help => "help",
            Reply::Unsubscribe => "unsubscribe",
            Reply::Unplaced => "unplaced",
        }
    }

    #[test]
    fn every_case_of_the_list_of_replies_is_read_as_it_says() {
        let list: serde_json::Value =
            serde_json::from_str(include_str!("../tests/fixtures/reply_cases.json")).unwrap();
        let waiting = waiting(&[("4827", true)]);
        let check = |cases: &serde_json::Value, answer: &Answer| {
            for case in cases.as_array().unwrap() {
                let text = case["reply"].as_str().unwrap();
                assert_eq!(
                    word(&read_reply(text, answer, &waiting)),
                    case["expect"].as_str().unwrap(),
                    "{text:?}"
                );
            }
        };
        check(&list["cases"], &Answer::Code);
        check(&list["fixed_word_mode"]["cases"], &Answer::Word("是".to_owned()));
    }

    #[test]
    fn full_width_quotes_signatures_and_punctuation_do_not_hide_a_code() {
        for text in
            ["４８２７", "4827。", "“4827”", "4827\n发自我的手机", " 是 4827!", "YES,4827", "\u{feff}4827"]
        {
            assert_eq!(
                read_reply(text, &Answer::Code, &waiting(&[("4827", true)])),
                Reply::Confirm(0),
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_code_decides_between_several_and_nothing_is_guessed() {
        let two = waiting(&[("4827", false), ("5911", false)]);
        assert_eq!(read_reply("5911", &Answer::Code, &two), Reply::Confirm(1));
        assert_eq!(read_reply("1234", &Answer::Code, &two), Reply::Help);
        assert_eq!(read_reply("否", &Answer::Code, &two), Reply::Help);
        let addressed = waiting(&[("4827", true), ("5911", false)]);
        assert_eq!(read_reply("5911", &Answer::Code, &addressed), Reply::Confirm(1));
        assert_eq!(read_reply("1234", &Answer::Code, &addressed), Reply::Mismatch(0));
        assert_eq!(read_reply("4827 5911", &Answer::Code, &two), Reply::Help);
    }

    #[test]
    fn with_nothing_waiting_only_unsubscribing_means_something() {
        assert_eq!(read_reply::<u8>("td", &Answer::Code, &[]), Reply::Unsubscribe);
        assert_eq!(read_reply::<u8>("4827", &Answer::Code, &[]), Reply::Unplaced);
    }

    #[test]
    fn a_thrown_code_is_never_0000_a_year_or_taken() {
        let world = World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(1)));
        let mut taken = Vec::new();
        for _ in 0..2_000 {
            let code = ConfirmationCode::throw(&world, &taken);
            let number: u32 = code.expose().parse().unwrap();
            assert!(number != 0 && !(1900..2100).contains(&number) && !taken.contains(&code));
            taken.push(code);
        }
    }

    proptest! {
        #[test]
        fn no_text_but_one_with_the_code_confirms(text in "\\PC{0,40}") {
            let reply = read_reply(&text, &Answer::Code, &waiting(&[("4827", true)]));
            let digits: String = text.nfkc().filter(char::is_ascii_digit).collect();
            prop_assert!(reply != Reply::Confirm(0) || digits == "4827");
        }
    }
}
