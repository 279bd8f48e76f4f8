//! What all connections of a simulated centre share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusmpp::pdus::DeliverSm;
use tokio::sync::watch;
use tokio::time::Instant;

use super::deliveries::Deliveries;
use super::faults::{Fate, Faults};
use super::phones::{Phones, ShownText, e164};
use super::{Config, receipts};
use crate::address::Address;
use crate::short_message::ShortMessage;
use crate::status::code;
use crate::text::{self, Reassembler};

/// registered_delivery bits that ask for a receipt on success (SMPP 3.4 section 5.2.17).
const RECEIPT_BITS: u8 = 0x03;
const RECEIPT_ALWAYS: u8 = 0x01;
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
        };
        let (added, _) = watch::channel(());
        let (cut, _) = watch::channel(());
        Self { config, state: Mutex::new(state), added, cut }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        let refused = |status| Verdict { fate: Fate::Refused(status), message_id: String::new() };
        let Some(message) = message else { return refused(code::SYSTEM_ERROR) };
        let fate = state.faults.fate(state.submits);
        if let Fate::Refused(status) = fate {
            return refused(status);
        }
        let to = &message.destination;
        let Some(number) = e164(&to.digits, to.ton, &self.config.country) else {
            return refused(code::INVALID_DESTINATION);
        };
        let Some((part, octets)) = message.text() else { return refused(code::INVALID_ESM_CLASS) };
        let whole = match part {
            Some(part) => {
                let now_ms = u64::try_from(now_ms).unwrap_or(0);
                let from = &message.source.digits;
                let joined = state.parts.accept(now_ms, from, &number, part, message.data_coding, octets);
                joined.map(|joined| text::decode(joined.data_coding, &joined.octets))
            }
            None => Some(text::decode(message.data_coding, octets)),
        };
        if let Some(text) = whole {
            let text = text.unwrap_or_else(|| "(not a text)".to_owned());
            state
                .phones
                .show(&number, ShownText { from: sender(&message.source), text, at: rfc3339(now_ms) });
        }
        state.accepted += 1;
        let message_id = format!("{:010}", state.accepted);
        let wanted =
            matches!(message.registered_delivery & RECEIPT_BITS, RECEIPT_ALWAYS | RECEIPT_ON_SUCCESS);
        if wanted
            && !state.faults.receipts_off
            && let Some(receipt) = receipts::receipt(&message_id, to, &message.source, now_ms)
        {
            state.queue(receipt);
            self.added.send_replace(());
        }
        Verdict { fate, message_id }
    }

    pub(super) fn reply(&self, number: &str, to: &str, text: &str) -> Result<(), ReplyError> {
        let number = e164(number, 0, &self.config.country).ok_or(ReplyError::BadNumber)?;
        let phone = Address::international(&number);
        let service = if to.starts_with('+') { Address::international(to) } else { Address::short_code(to) };
        if service.digits.is_empty() {
            return Err(ReplyError::BadNumber);
        }
        let mut state = self.state();
        state.reference = state.reference.wrapping_add(1);
        let segments = text::segments(text, state.reference);
        if segments.is_empty() {
            return Err(ReplyError::TooLong);
        }
        let replies: Option<Vec<DeliverSm>> =
            segments.iter().map(|segment| receipts::reply(&phone, &service, segment)).collect();
        let replies = replies.ok_or(ReplyError::BadNumber)?;
        if !state.deliveries.has_room(replies.len() * 2) {
            return Err(ReplyError::Full);
        }
        for reply in replies {
            state.queue(reply);
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
    fn queue(&mut self, pdu: DeliverSm) {
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
