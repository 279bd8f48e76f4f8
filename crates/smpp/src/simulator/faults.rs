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
    /// Answers nothing at all, enquire_link included, and shows nothing.
    pub silent: bool,
    /// Answers every nth submit with a generic_nack; nothing is shown.
    pub nack_every: u64,
    /// Takes every nth text, shows nothing, and reports it undeliverable.
    pub undeliverable_every: u64,
    /// Sends unbind instead of the answer to every nth submit, which is shown; it answers that and what
    /// else is open before it closes.
    pub unbind_every: u64,
    /// Milliseconds that every answer to a submit is held back.
    pub answer_delay_ms: u64,
    /// Sends answers that were held back in reverse order.
    pub answers_reversed: bool,
    /// Answers a good submit without a body, and so without a message id.
    pub answer_without_body: bool,
    /// Writes message ids in hexadecimal in answers, and in decimal in receipts.
    pub message_id_hex: bool,
    /// Leaves the TLVs out of receipts, as centres of SMPP 3.3 do.
    pub receipt_without_tlvs: bool,
    /// How phones' numbers are written in what is delivered.
    pub source_form: SourceForm,
    /// How the parts of a long reply are marked.
    pub long_reply: LongReply,
}

/// How a centre writes the number of a phone that wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceForm {
    /// `8613…`, international.
    #[default]
    International,
    /// `+8613…`, type of number unknown.
    Plus,
    /// `008613…`, type of number unknown.
    DoubleZero,
    /// `13…`, national.
    National,
}

/// How a centre delivers a long text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongReply {
    /// Parts with the 8-bit header.
    #[default]
    Header8,
    /// Parts with the 16-bit header.
    Header16,
    /// Parts with SAR TLVs.
    Sar,
    /// One message_payload TLV.
    Payload,
}

/// What happens to one submit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Accepted,
    AcceptedThenClosed,
    Refused(u32),
    Undeliverable,
    Nacked,
    Unbinding,
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
            () if hit(self.unbind_every) => Fate::Unbinding,
            () if hit(self.nack_every) => Fate::Nacked,
            () if hit(self.throttle_every) => Fate::Refused(crate::status::code::THROTTLED),
            () if hit(self.queue_full_every) => Fate::Refused(crate::status::code::QUEUE_FULL),
            () if hit(self.refuse_every) => Fate::Refused(crate::status::code::INVALID_DESTINATION),
            () if hit(self.undeliverable_every) => Fate::Undeliverable,
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
