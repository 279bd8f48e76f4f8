//! How long to wait before the next attempt to bind.

use std::time::Duration;

/// Waits that double from 1 s to 60 s, each shortened by up to a half by a jitter that is passed in.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(60);

    /// Makes a backoff that has seen no failure.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a failure and tells how long to wait; `jitter` from 0.0 to 1.0 shortens the wait by up to a half.
    pub fn failed(&mut self, jitter: f64) -> Duration {
        let whole = Self::FIRST.saturating_mul(1u32 << self.failures.min(6)).min(Self::LONGEST);
        self.failures = self.failures.saturating_add(1);
        let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.0 };
        whole.mul_f64(1.0 - jitter / 2.0).max(Self::FIRST)
    }

    /// Forgets the failures, after a bind that lasted.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_one_second_to_sixty() {
        let mut backoff = Backoff::new();
        let waits: Vec<u64> = (0..8).map(|_| backoff.failed(0.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        backoff.succeeded();
        assert_eq!(backoff.failed(0.0).as_secs(), 1);
    }

    #[test]
    fn jitter_shortens_by_up_to_a_half_and_never_below_a_second() {
        let mut backoff = Backoff::new();
        assert_eq!(backoff.failed(1.0), Duration::from_secs(1));
        assert_eq!(backoff.failed(1.0), Duration::from_secs(1));
        assert_eq!(backoff.failed(1.0), Duration::from_secs(2));
        assert_eq!(backoff.failed(f64::NAN), Duration::from_secs(8));
    }
}
