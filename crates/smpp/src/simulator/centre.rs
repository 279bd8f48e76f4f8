//! What all connections of a simulated centre share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusmpp::pdus::DeliverSm;
use rusmpp::values::MessageState;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::time::Instant;

use super::deliveries::Deliveries;
use super::faults::{Fate, Faults};
use super::phones::{Phones, ShownText, e164};
use super::{Config, outbound};
use crate::address::Address;
use crate::short_message::ShortMessage;
use crate::status::code;
use crate::text::{self, Reassembler, SEGMENTS_MAX};

/// registered_delivery bits that ask for a receipt (SMPP 3.4 section 5.2.17).
const RECEIPT_BITS: u8 = 0x03;
const RECEIPT_ALWAYS: u8 = 0x01;
const RECEIPT_ON_FAILURE: u8 = 0x02;
const RECEIPT_ON_SUCCESS: u8 = 0x03;

/// Why a phone's text was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The number or the destination is not one.
    #[error("the number is not one that can be written to")]
    BadNumber,
    /// The text has more than 255 parts.
    #[error("the text is too long")]
    TooLong,
    /// Too many deliveries wait already.
    #[error("too many deliveries wait already")]
    Full,
}

/// The state of a simulated centre.
pub(super) struct Centre {
    pub(super) config: Config,
    state: Mutex<State>,
    /// Told whenever a delivery was added or came back.
    pub(super) added: watch::Sender<()>,
    /// Told when every connection shall be cut.
    pub(super) cut: watch::Sender<()>,
}

struct State {
    phones: Phones,
    parts: Reassembler,
    deliveries: Deliveries,
    faults: Faults,
    submits: u64,
    accepted: u64,
    reference: u16,
    /// The second that is running, and the submits in it.
    second: (i64, u64),
}

/// What a connection does about one submit.
pub(super) struct Verdict {
    pub(super) fate: Fate,
    pub(super) message_id: String,
}

impl Centre {
    pub(super) fn new(config: Config) -> Self {
        let state = State {
            phones: Phones::default(),
            parts: Reassembler::default(),
            deliveries: Deliveries::default(),
            faults: config.faults.clone(),
            submits: 0,
            accepted: 0,
            reference: 0,
            second: (0, 0),
        };
        let (added, _) = watch::channel(());
        let (cut, _) = watch::channel(());
        Self { config, state: Mutex::new(state), added, cut }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn watch(&self) -> UnboundedReceiver<(String, ShownText)> {
        self.state().phones.watch()
    }

    pub(super) fn texts(&self, number: &str) -> Vec<ShownText> {
        match e164(number, 0, &self.config.country) {
            Some(number) => self.state().phones.texts(&number),
            None => Vec::new(),
        }
    }

    pub(super) fn faults(&self) -> Faults {
        self.state().faults.clone()
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    pub(super) fn deliveries_open(&self) -> usize {
        self.state().deliveries.len()
    }

    pub(super) fn disconnect(&self) {
        self.cut.send_replace(());
    }

    /// Takes a submit: counts it, decides its fate, shows the text, queues the receipt.
    pub(super) fn submit(&self, message: Option<&ShortMessage>) -> Verdict {
        let now_ms = (self.config.clock)();
        let mut state = self.state();
        let state = &mut *state;
        state.submits += 1;
        let without_id = |fate| Verdict { fate, message_id: String::new() };
        let refused = |status| without_id(Fate::Refused(status));
        let Some(message) = message else { return refused(code::SYSTEM_ERROR) };
        let fate = match state.is_too_fast(now_ms) {
            true => Fate::Refused(code::THROTTLED),
            false => state.faults.fate(state.submits),
        };
        if matches!(fate, Fate::Refused(_) | Fate::Nacked) {
            return without_id(fate);
        }
        let to = &message.destination;
        let Some(number) = e164(&to.digits, to.ton, &self.config.country) else {
            return refused(code::INVALID_DESTINATION);
        };
        if message.text().is_none() {
            return refused(code::INVALID_ESM_CLASS);
        }
        let delivered = fate != Fate::Undeliverable;
        if delivered {
            state.show(message, &number, now_ms);
        }
        state.accepted += 1;
        if state.receipt(message, delivered, now_ms) {
            self.added.send_replace(());
        }
        Verdict { fate, message_id: state.faults.message_ids.in_answer(state.accepted) }
    }

    pub(super) fn reply(&self, number: &str, to: &str, text: &str) -> Result<(), ReplyError> {
        let number = e164(number, 0, &self.config.country).ok_or(ReplyError::BadNumber)?;
        let service = if to.starts_with('+') { Address::international(to) } else { Address::short_code(to) };
        if service.digits.is_empty() {
            return Err(ReplyError::BadNumber);
        }
        let mut state = self.state();
        let phone = outbound::phone(&number, state.faults.source_form, &self.config.country);
        state.reference = state.reference.wrapping_add(1);
        let replies = outbound::replies(&phone, &service, text, state.reference, &state.faults)
            .ok_or(ReplyError::BadNumber)?;
        if replies.is_empty() {
            return Err(ReplyError::TooLong);
        }
        if !state.deliveries.has_room(2 * SEGMENTS_MAX) {
            return Err(ReplyError::Full);
        }
        for reply in replies {
            state.queue(&reply);
        }
        drop(state);
        self.added.send_replace(());
        Ok(())
    }

    pub(super) fn take_delivery(&self) -> Option<DeliverSm> {
        self.state().deliveries.take(Instant::now())
    }

    pub(super) fn next_delivery_due(&self) -> Option<Instant> {
        self.state().deliveries.next_due()
    }

    pub(super) fn delivered(&self) {
        self.state().deliveries.done();
    }

    pub(super) fn deliver_again(&self, pdu: DeliverSm) {
        self.state().deliveries.failed(pdu, Instant::now() + self.config.redeliver_after);
        self.added.send_replace(());
    }
}

impl State {
    /// Counts a submit in its second, and says whether it is one too many.
    fn is_too_fast(&mut self, now_ms: i64) -> bool {
        let second = now_ms.div_euclid(1_000);
        let count = if self.second.0 == second { self.second.1 + 1 } else { 1 };
        self.second = (second, count);
        self.faults.throttle_over_per_s != 0 && count > self.faults.throttle_over_per_s
    }

    /// Shows a text, or keeps its part until the others have come.
    fn show(&mut self, message: &ShortMessage, number: &str, now_ms: i64) {
        let Some((part, octets)) = message.text() else { return };
        let whole = match part {
            Some(part) => {
                let now_ms = u64::try_from(now_ms).unwrap_or(0);
                let from = &message.source.digits;
                self.parts
                    .accept(now_ms, from, number, part, message.data_coding, octets)
                    .map(|joined| text::decode(joined.data_coding, &joined.octets))
            }
            None => Some(text::decode(message.data_coding, octets)),
        };
        if let Some(text) = whole {
            let text = text.unwrap_or_else(|| "(not a text)".to_owned());
            self.phones.show(number, ShownText { from: sender(&message.source), text, at: rfc3339(now_ms) });
        }
    }

    /// Queues the receipt for the text accepted last, if one is wanted.
    fn receipt(&mut self, message: &ShortMessage, delivered: bool, at_ms: i64) -> bool {
        let wanted = match message.registered_delivery & RECEIPT_BITS {
            RECEIPT_ALWAYS => true,
            RECEIPT_ON_SUCCESS => delivered,
            RECEIPT_ON_FAILURE => !delivered,
            _ => false,
        };
        if !wanted || self.faults.receipts_off {
            return false;
        }
        let outcome = outbound::Outcome {
            message_id: &self.faults.message_ids.in_receipt(self.accepted),
            phone: &message.destination,
            service: &message.source,
            at_ms,
            state: if delivered { MessageState::Delivered } else { MessageState::Undeliverable },
            tlvs: !self.faults.receipt_without_tlvs,
            layout: self.faults.receipt_layout,
        };
        let late = outbound::Outcome { state: MessageState::Enroute, ..outcome };
        for _ in 0..=self.faults.receipt_copies.min(10) {
            outbound::receipt(&outcome).into_iter().for_each(|receipt| self.queue(&receipt));
        }
        if self.faults.receipt_enroute_after {
            outbound::receipt(&late).into_iter().for_each(|receipt| self.queue(&receipt));
        }
        true
    }

    fn queue(&mut self, pdu: &DeliverSm) {
        let copies = if self.faults.duplicate_deliveries { 2 } else { 1 };
        if self.deliveries.has_room(copies) {
            for _ in 0..copies {
                self.deliveries.push(pdu.clone(), Instant::now());
            }
        }
    }
}

/// The sender as a phone shows it: international numbers with their `+`.
fn sender(source: &Address) -> String {
    if source.ton == 1 && !source.digits.starts_with('+') {
        format!("+{}", source.digits)
    } else {
        source.digits.clone()
    }
}

fn rfc3339(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}
