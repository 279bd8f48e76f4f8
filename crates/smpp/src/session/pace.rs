//! The agreed rate, as even spacing.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How far behind the schedule may fall and still be caught up: the timer ticks in milliseconds.
const SLACK: Duration = Duration::from_millis(20);

/// Spaces submits evenly at a rate that may change.
pub(super) struct Pace {
    state: Mutex<State>,
}

struct State {
    interval: Option<Duration>,
    next: Option<Instant>,
}

impl Pace {
    pub(super) fn new(rate_per_s: u32) -> Self {
        Self { state: Mutex::new(State { interval: interval(rate_per_s), next: None }) }
    }

    pub(super) fn set(&self, rate_per_s: u32) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).interval = interval(rate_per_s);
    }

    /// Waits for this caller's turn.
    pub(super) async fn wait(&self) {
        if let Some(turn) = self.turn(Instant::now()) {
            sleep_until(turn).await;
        }
    }

    fn turn(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let interval = state.interval?;
        let earliest = now.checked_sub(SLACK).unwrap_or(now);
        let turn = state.next.map_or(now, |next| next.max(earliest));
        state.next = Some(turn + interval);
        Some(turn)
    }
}

fn interval(rate_per_s: u32) -> Option<Duration> {
    Duration::from_secs(1).checked_div(rate_per_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_are_spaced_by_the_rate() {
        let pace = Pace::new(4);
        let now = Instant::now();
        let turns: Vec<_> = (0..3).map(|_| pace.turn(now).unwrap() - now).collect();
        assert_eq!(turns, [0, 250, 500].map(Duration::from_millis));
        pace.set(0);
        assert_eq!(pace.turn(now), None);
    }

    #[tokio::test]
    async fn a_pause_earns_no_burst() {
        let pace = Pace::new(10);
        let now = Instant::now();
        pace.turn(now);
        let later = now + Duration::from_secs(60);
        let turns: Vec<_> =
            (0..3).map(|_| pace.turn(later).unwrap().saturating_duration_since(later)).collect();
        assert_eq!(turns, [0, 80, 180].map(Duration::from_millis));
    }
}
