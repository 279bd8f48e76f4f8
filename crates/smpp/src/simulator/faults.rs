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
    /// How message ids are written.
    pub message_ids: MessageIds,
    /// Leaves the TLVs out of receipts, as centres of SMPP 3.3 do.
    pub receipt_without_tlvs: bool,
    /// How phones' numbers are written in what is delivered.
    pub source_form: SourceForm,
    /// How the parts of a long reply are marked.
    pub long_reply: LongReply,
    /// Refuses as too fast (0x58) what comes beyond so many submits in a second; nothing of it is shown.
    pub throttle_over_per_s: u64,
    /// Refuses every nth submit for a trouble of the centre's own (0x08); nothing is shown.
    pub system_error_every: u64,
    /// Shows every nth text and resets the connection instead of answering.
    pub reset_every: u64,
    /// Shows every nth text, sends half of its answer, and closes the connection.
    pub half_answer_every: u64,
    /// Shows every nth text and sends [`Faults::garbage`] instead of its answer.
    pub garbage_every: u64,
    /// What that is.
    pub garbage: Garbage,
    /// Sends answers that were held back in no order at all.
    pub answers_shuffled: bool,
    /// Sends every answer to a submit twice.
    pub answers_duplicated: bool,
    /// Sends answers to nothing before every answer to a submit.
    pub answers_stray: bool,
    /// Gives refusals a body with a message id, which SMPP 3.4 section 4.4.2 forbids.
    pub refusals_with_body: bool,
    /// Adds a TLV that nobody knows to answers and deliveries.
    pub unknown_tlvs: bool,
    /// Sends each receipt so many times more.
    pub receipt_copies: u64,
    /// Sends a receipt "on its way" after each final one.
    pub receipt_enroute_after: bool,
    /// Which of the layouts of [`super::RECEIPT_LAYOUTS`] the text of a receipt has, from 0.
    pub receipt_layout: usize,
    /// Writes replies in UCS-2 though they would fit GSM 7-bit, some of them after a byte-order mark.
    pub reply_ucs2: ReplyUcs2,
    /// Delivers the last part of a long reply first.
    pub parts_reordered: bool,
    /// Never delivers the last part of a long reply.
    pub part_missing: bool,
    /// Refuses binds with this command_status; 0 is none.
    pub bind_status: u32,
    /// Milliseconds that the answer to a bind is held back.
    pub bind_delay_ms: u64,
    /// Sends the answer to a bind and the first delivery in one piece.
    pub bind_with_delivery: bool,
    /// Milliseconds for which nothing is read from a connection after each submit.
    pub deaf_ms: u64,
}

/// How a centre writes message ids in answers and in receipts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageIds {
    /// Ten decimal digits in both.
    #[default]
    Padded,
    /// Hexadecimal in answers, ten decimal digits in receipts.
    HexAnswers,
    /// Decimal in answers, hexadecimal in receipts.
    HexReceipts,
    /// Letters and digits, large in answers, small after zeros in receipts.
    MixedCase,
    /// A UUID in both.
    Uuid,
}

impl MessageIds {
    pub(super) fn in_answer(self, id: u64) -> String {
        match self {
            Self::Padded => format!("{id:010}"),
            Self::HexAnswers => format!("{id:x}"),
            Self::HexReceipts => id.to_string(),
            Self::MixedCase => format!("AB{id:X}Z"),
            Self::Uuid => format!("6F9619FF-8B86-D011-B42D-{id:012X}"),
        }
    }

    pub(super) fn in_receipt(self, id: u64) -> String {
        match self {
            Self::Padded | Self::HexAnswers => format!("{id:010}"),
            Self::HexReceipts => format!("{id:08X}"),
            Self::MixedCase => format!("00ab{id:x}z"),
            Self::Uuid => format!("6f9619ff-8b86-d011-b42d-{id:012x}"),
        }
    }
}

/// What a centre sends that is not SMPP, or not sound SMPP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Garbage {
    /// A PDU that says it is longer than any may be.
    #[default]
    Oversized,
    /// A PDU that says it is shorter than a header.
    Short,
    /// Octets without meaning.
    Random,
    /// A deliver_sm cut off in its middle, in a frame that fits it.
    Truncated,
    /// An answer of HTTP.
    Http,
}

impl Garbage {
    pub(super) fn octets(self) -> Vec<u8> {
        match self {
            Self::Oversized => vec![0x7F, 0xFF, 0xFF, 0xFF, 0x80, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1],
            Self::Short => vec![0, 0, 0, 7, 0x80, 0, 0],
            // The first four are a length that no PDU has; the rest comes from no dice, so that a run repeats.
            Self::Random => {
                (0..96u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0] | 0x80).collect()
            }
            Self::Truncated => {
                let body = *b"\0\x01\x018613800138000\0\0\x0010690001\0\x40\0";
                let length = u8::try_from(16 + body.len()).unwrap_or(u8::MAX);
                [&[0, 0, 0, length, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 3, 9][..], &body].concat()
            }
            Self::Http => b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(),
        }
    }
}

/// Whether a reply is in UCS-2 in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyUcs2 {
    /// Only where its characters want it.
    #[default]
    Fitting,
    /// Always.
    Always,
    /// Always, after a byte-order mark.
    BigEndianMark,
    /// Always, after a mark that says little-endian, and so written.
    LittleEndianMark,
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
    Reset,
    HalfAnswered,
    Garbage,
}

impl Faults {
    /// The fate of the nth submit; the harshest fault wins.
    pub(super) fn fate(&self, nth: u64) -> Fate {
        let hit = |every: u64| every != 0 && nth.is_multiple_of(every);
        match () {
            () if hit(self.drop_every) => Fate::Dropped,
            () if hit(self.reset_every) => Fate::Reset,
            () if hit(self.half_answer_every) => Fate::HalfAnswered,
            () if hit(self.garbage_every) => Fate::Garbage,
            () if hit(self.no_answer_every) => Fate::Unanswered,
            () if hit(self.unbind_every) => Fate::Unbinding,
            () if hit(self.nack_every) => Fate::Nacked,
            () if hit(self.throttle_every) => Fate::Refused(crate::status::code::THROTTLED),
            () if hit(self.queue_full_every) => Fate::Refused(crate::status::code::QUEUE_FULL),
            () if hit(self.system_error_every) => Fate::Refused(crate::status::code::SYSTEM_ERROR),
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
