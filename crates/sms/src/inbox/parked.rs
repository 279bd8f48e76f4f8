//! Receipts that came before the answer to their text was written down. In memory alone, though the centre has been
//! told that they were taken: a process that dies loses the answer too, and nobody could match the two any more. Where another
//! process has sent the text, its acceptance is looked for in the store.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::limits;
use jiff::{SignedDuration, Timestamp};

/// Receipts kept: a minute of the fastest centres.
const RECEIPTS_MAX: usize = 10_000;
/// How long: as long as a late answer is matched.
const AGE_MAX: SignedDuration = SignedDuration::from_mins(10);

/// How old a receipt is when its text is looked for among those that other processes have sent.
const LOOK_AFTER: SignedDuration = SignedDuration::from_millis(500);
const LOOK_UNTIL: SignedDuration = SignedDuration::from_secs(limits::TEXT_LEASE_S);
/// Texts looked for at once: what a fast link brings in a second.
const LOOK_MAX: usize = 200;

/// Final receipts by folded message id; the first of an id stays.
#[derive(Default)]
pub(crate) struct Parked(Mutex<State>);

#[derive(Default)]
struct State {
    receipts: HashMap<String, (bool, Timestamp)>,
    order: VecDeque<(Timestamp, String)>,
}

impl Parked {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a receipt.
    pub(crate) fn park(&self, message_id: &str, delivered: bool, now: Timestamp) {
        let mut state = self.state();
        if state.receipts.contains_key(message_id) {
            return;
        }
        state.receipts.insert(message_id.to_owned(), (delivered, now));
        state.order.push_back((now, message_id.to_owned()));
        state.prune(now);
    }

    /// Takes the receipt for a message id: whether the text was delivered.
    pub(crate) fn take(&self, message_id: &str) -> Option<bool> {
        self.state().receipts.remove(message_id).map(|(delivered, _)| delivered)
    }

    /// The message ids parked for longer than a moment and not for long, the oldest first, so many at most: another
    /// process may have sent their texts, and writes down within moments that they were accepted.
    pub(crate) fn waiting(&self, now: Timestamp) -> Vec<String> {
        let state = self.state();
        let waits = |at: Timestamp| (LOOK_AFTER..LOOK_UNTIL).contains(&now.duration_since(at));
        let ids = state.order.iter().filter(|(at, _)| waits(*at)).map(|(_, id)| id);
        ids.filter(|id| state.receipts.contains_key(*id)).take(LOOK_MAX).cloned().collect()
    }

    /// Forgets receipts whose text never came to light.
    pub(crate) fn prune(&self, now: Timestamp) {
        self.state().prune(now);
    }
}

impl State {
    fn prune(&mut self, now: Timestamp) {
        while let Some((parked, _)) = self.order.front()
            && (self.order.len() > RECEIPTS_MAX || now.duration_since(*parked) > AGE_MAX)
        {
            let Some((parked, message_id)) = self.order.pop_front() else { return };
            // The id may have been taken, and parked anew, since.
            if self.receipts.get(&message_id).is_some_and(|(_, at)| *at == parked) {
                self.receipts.remove(&message_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_second(s).unwrap()
    }

    #[test]
    fn the_first_receipt_of_an_id_stays_and_is_taken_once() {
        let parked = Parked::default();
        parked.park("7", true, at(0));
        parked.park("7", false, at(1));
        assert_eq!([parked.take("7"), parked.take("7"), parked.take("8")], [Some(true), None, None]);
    }

    #[test]
    fn a_receipt_is_looked_for_among_other_processes_texts_for_a_minute() {
        let parked = Parked::default();
        parked.park("7", true, at(0));
        assert!(parked.waiting(at(0)).is_empty(), "its own answer is only just being written");
        assert_eq!(parked.waiting(at(1)), ["7"]);
        assert!(parked.waiting(at(limits::TEXT_LEASE_S)).is_empty());
        parked.take("7");
        assert!(parked.waiting(at(1)).is_empty());
    }

    #[test]
    fn receipts_are_forgotten_by_age_and_by_number() {
        let parked = Parked::default();
        parked.park("old", true, at(0));
        parked.prune(at(600));
        parked.park("new", true, at(601));
        assert_eq!((parked.take("old"), parked.take("new")), (None, Some(true)));
        for n in 0..=RECEIPTS_MAX {
            parked.park(&n.to_string(), true, at(700));
        }
        assert_eq!((parked.take("0"), parked.take("1")), (None, Some(true)));
    }
}
