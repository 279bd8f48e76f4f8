//! The parts of long texts, until the last has come and the whole is stored.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use smpp::text::{Joined, Reassembler};
use smpp::{InboundText, Part};

/// Joined texts kept while the store is away; beyond that the sender's own repetition must do.
const UNSTORED_MAX: usize = 1_000;

/// Which long text a part belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Whole {
    source: String,
    destination: String,
    reference: u16,
    total: u8,
}

impl Whole {
    pub(super) fn of(text: &InboundText, part: Part) -> Self {
        Self {
            source: text.source.digits.clone(),
            destination: text.destination.digits.clone(),
            reference: part.reference,
            total: part.total,
        }
    }
}

/// Joins parts. In memory alone: a restart between two parts of one reply loses it, and the person is
/// asked nothing; answers to a confirmation fit one part.
#[derive(Default)]
pub(crate) struct Parts(Mutex<State>);

#[derive(Default)]
struct State {
    joining: Reassembler,
    unstored: HashMap<Whole, Joined>,
}

impl Parts {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one part; gives the whole once its last part has come, or again when the store was away then.
    pub(super) fn accept(&self, text: &InboundText, part: Part, now: Timestamp) -> Option<Joined> {
        let mut state = self.state();
        if let Some(joined) = state.unstored.remove(&Whole::of(text, part)) {
            return Some(joined);
        }
        let now_ms = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let (source, destination) = (&text.source.digits, &text.destination.digits);
        state.joining.accept(now_ms, source, destination, part, text.body.data_coding, &text.body.octets)
    }

    /// Keeps a whole that could not be stored, for when its last part is delivered again.
    pub(super) fn keep(&self, whole: Whole, joined: Joined) {
        let mut state = self.state();
        if state.unstored.len() < UNSTORED_MAX {
            state.unstored.insert(whole, joined);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smpp::{Address, InboundBody};

    fn part(number: u8) -> (InboundText, Part) {
        let part = Part { reference: 7, total: 2, number };
        let text = InboundText {
            source: Address::international("8613800138000"),
            destination: Address::short_code("10690001"),
            body: InboundBody::from_text(&number.to_string()),
            part: Some(part),
        };
        (text, part)
    }

    #[test]
    fn a_whole_that_could_not_be_stored_comes_back_with_its_last_part() {
        let (parts, now) = (Parts::default(), Timestamp::UNIX_EPOCH);
        let ((first, one), (second, two)) = (part(1), part(2));
        assert_eq!(parts.accept(&first, one, now), None);
        let joined = parts.accept(&second, two, now).unwrap();
        parts.keep(Whole::of(&second, two), joined.clone());
        assert_eq!(parts.accept(&second, two, now), Some(joined));
        assert_eq!(parts.accept(&second, two, now), None);
    }
}
