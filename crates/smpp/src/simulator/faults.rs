//! Faults that a simulated centre shows on demand.

use serde::{Deserialize, Serialize};

/// Faults of a simulated centre; all off by default. "Every n" counts the submits of all connections, and
/// 0 means never.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Refuses every nth submit as too fast (0x58); nothing is shown.
    pub throttle_every: u64,
    /// Refuses every nth submit because the queue is full (0x14); nothing is shown.
    pub queue_full_every: u64,
    /// Refuses every nth submit for its destination (0x0B); nothing is shown.
    pub refuse_every: u64,
    /// Shows every nth text and never answers it.
    pub no_answer_every: u64,
    /// Shows every nth text and cuts the connection instead of answering.
    pub drop_every: u64,
    /// Answers every nth submit and cuts the connection after it.
    pub close_after_answer_every: u64,
    /// Sends no receipts.
    pub receipts_off: bool,
    /// Sends the receipt before the answer, where they share a connection.
    pub receipt_first: bool,
    /// Makes every delivery twice.
    pub duplicate_deliveries: bool,
    /// Does not answer binds.
    pub bind_silent: bool,
}

/// What happens to one submit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Accepted,
    AcceptedThenClosed,
    Refused(u32),
    Unanswered,
    Dropped,
}

impl Faults {
    /// The fate of the nth submit; the harshest fault wins.
    pub(super) fn fate(&self, nth: u64) -> Fate {
        let hit = |every: u64| every != 0 && nth.is_multiple_of(every);
        match () {
            () if hit(self.drop_every) => Fate::Dropped,
            () if hit(self.no_answer_every) => Fate::Unanswered,
            () if hit(self.throttle_every) => Fate::Refused(crate::status::code::THROTTLED),
            () if hit(self.queue_full_every) => Fate::Refused(crate::status::code::QUEUE_FULL),
            () if hit(self.refuse_every) => Fate::Refused(crate::status::code::INVALID_DESTINATION),
            () if hit(self.close_after_answer_every) => Fate::AcceptedThenClosed,
            () => Fate::Accepted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nth_counts() {
        let faults = Faults { throttle_every: 2, drop_every: 3, ..Faults::default() };
        let fates: Vec<Fate> = (1..=4).map(|nth| faults.fate(nth)).collect();
        assert_eq!(fates, [Fate::Accepted, Fate::Refused(0x58), Fate::Dropped, Fate::Refused(0x58)]);
        assert_eq!(Faults::default().fate(1), Fate::Accepted);
    }
}
