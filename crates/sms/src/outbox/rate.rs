//! The rate, halved while the centre says that it is too high.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// One burst of refusals halves once: a whole window of them is one piece of news.
const HALVE_PAUSE: Duration = Duration::from_secs(1);
/// How long the centre must be content before the rate doubles again.
const CONTENT: Duration = Duration::from_secs(10);
/// What an unlimited rate is taken for when it proves too high; real centres grant 10 to 150 a second.
const UNLIMITED: u32 = 100;

/// The rate now, between 1 a second and the agreed one.
pub(crate) struct Rate {
    agreed: u32,
    state: Mutex<State>,
}

struct State {
    now: u32,
    changed: Option<Instant>,
}

impl Rate {
    pub(crate) fn new(agreed: u32) -> Self {
        Self { agreed, state: Mutex::new(State { now: agreed, changed: None }) }
    }

    /// Submits a second; 0 is unlimited.
    pub(crate) fn now(&self) -> u32 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    /// Halves the rate; gives the new one, unless it was halved just before.
    pub(super) fn throttled(&self, at: Instant) -> Option<u32> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.changed.is_some_and(|changed| at.saturating_duration_since(changed) < HALVE_PAUSE) {
            return None;
        }
        let before = if state.now == 0 { UNLIMITED } else { state.now };
        *state = State { now: (before / 2).max(1), changed: Some(at) };
        Some(state.now)
    }

    /// Doubles a halved rate after a while without refusals; gives the new one if it changed.
    pub(super) fn recover(&self, at: Instant) -> Option<u32> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = state.changed?;
        if at.saturating_duration_since(changed) < CONTENT {
            return None;
        }
        let doubled = state.now.saturating_mul(2);
        let whole = if self.agreed == 0 { UNLIMITED } else { self.agreed };
        *state = if doubled >= whole {
            State { now: self.agreed, changed: None }
        } else {
            State { now: doubled, changed: Some(at) }
        };
        Some(state.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_halves_once_a_second_and_comes_back() {
        let (rate, start) = (Rate::new(10), Instant::now());
        let at = |s| start + Duration::from_secs(s);
        assert_eq!(
            [0, 0, 1, 2, 3].map(|s| rate.throttled(at(s))),
            [Some(5), None, Some(2), Some(1), Some(1)]
        );
        assert_eq!(
            [4, 13, 23, 33, 43, 53].map(|s| rate.recover(at(s))),
            [None, Some(2), Some(4), Some(8), Some(10), None]
        );
    }

    #[test]
    fn an_unlimited_rate_is_limited_for_a_while() {
        let (rate, start) = (Rate::new(0), Instant::now());
        assert_eq!(rate.throttled(start), Some(50));
        assert_eq!(rate.recover(start + CONTENT), Some(0));
        assert_eq!(rate.now(), 0);
    }
}
