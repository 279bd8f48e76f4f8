//! One client's connection to a simulated centre.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use rusmpp::Pdu;
use rusmpp::pdus::{DeliverSm, SubmitSmResp};
use rusmpp::types::COctetString;
use std::str::FromStr;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::codec::FramedRead;

use super::centre::Centre;
use super::faults::Fate;
use crate::short_message::ShortMessage;
use crate::status::code;
use crate::wire::{self, Frame, FrameCodec, command};

/// Deliveries in flight on one connection.
const WINDOW: usize = 10;
/// Answers held back at most, and for how long.
const HELD_MAX: usize = 10_000;
const DELAY_MS_MAX: u64 = 3_600_000;
/// The longest a client may take to bind, and to read what is written to it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The connection goes on, or it is over.
enum Next {
    On,
    Close,
}

struct Connection {
    centre: Arc<Centre>,
    writer: OwnedWriteHalf,
    /// The bind's command id.
    bound: Option<u32>,
    bind_by: Instant,
    sequence: u32,
    in_flight: HashMap<u32, (DeliverSm, Instant)>,
    /// Answers held back, in the order of their submits.
    held: Vec<(Instant, Bytes)>,
    /// Nothing is read before this moment.
    deaf_until: Option<Instant>,
    /// A bind whose answer is held back.
    binding: Option<(Instant, Frame)>,
}

/// Serves one connection to its end.
pub(super) async fn serve(stream: TcpStream, centre: Arc<Centre>) {
    // Only speed is lost without it.
    let _ = stream.set_nodelay(true);
    let (reader, writer) = stream.into_split();
    let mut reader = FramedRead::new(reader, FrameCodec);
    let mut added = centre.added.subscribe();
    let mut cut = centre.cut.subscribe();
    let bind_by = Instant::now() + PATIENCE;
    let mut connection = Connection {
        centre,
        writer,
        bound: None,
        bind_by,
        sequence: 0,
        in_flight: HashMap::new(),
        held: Vec::new(),
        deaf_until: None,
        binding: None,
    };
    loop {
        let next = match connection.deliver().await {
            Next::Close => Next::Close,
            Next::On => {
                let deadline = connection.next_deadline();
                tokio::select! {
                    frame = reader.next(), if connection.deaf_until.is_none() => match frame {
                        Some(Ok(frame)) => connection.on_frame(frame).await,
                        Some(Err(error)) => {
                            tracing::debug!(error = %error, "a client of the simulated centre broke off");
                            Next::Close
                        }
                        None => Next::Close,
                    },
                    _ = added.changed() => Next::On,
                    _ = cut.changed() => Next::Close,
                    () = sleep_until(deadline) => connection.on_time().await,
                }
            }
        };
        if matches!(next, Next::Close) {
            break;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Also when the whole centre stops: what was not acknowledged is delivered again.
        for (_, (pdu, _)) in self.in_flight.drain() {
            self.centre.deliver_again(pdu);
        }
    }
}

impl Connection {
    fn receives(&self) -> bool {
        matches!(self.bound, Some(command::BIND_RECEIVER | command::BIND_TRANSCEIVER))
    }

    fn next_deadline(&self) -> Instant {
        let far = Instant::now() + PATIENCE;
        let bind_by = if self.bound.is_none() { self.bind_by } else { far };
        let due =
            self.centre.next_delivery_due().filter(|_| self.receives() && self.in_flight.len() < WINDOW);
        let unanswered = self.in_flight.values().map(|(_, deadline)| *deadline).min();
        let held = self.held.first().map(|(at, _)| *at);
        let binding = self.binding.as_ref().map(|(at, _)| *at);
        [Some(bind_by), due, unanswered, held, binding, self.deaf_until]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(far)
    }

    async fn on_time(&mut self) -> Next {
        let now = Instant::now();
        if self.bound.is_none() && self.bind_by <= now {
            return Next::Close;
        }
        for (_, (pdu, _)) in self.in_flight.extract_if(|_, (_, deadline)| *deadline <= now) {
            self.centre.deliver_again(pdu);
        }
        if self.deaf_until.is_some_and(|until| until <= now) {
            self.deaf_until = None;
        }
        if let Some((_, bind)) = self.binding.take_if(|(at, _)| *at <= now) {
            return self.answer_bind(&bind).await;
        }
        if self.held.first().is_some_and(|(at, _)| *at <= now) { self.release().await } else { Next::On }
    }

    /// Sends the answers held back.
    async fn release(&mut self) -> Next {
        let mut held: Vec<Bytes> = self.held.drain(..).map(|(_, answer)| answer).collect();
        let faults = self.centre.faults();
        if faults.answers_reversed {
            held.reverse();
        }
        if faults.answers_shuffled {
            // The same disorder each time, so that a run repeats: odd places first, and backwards.
            let (odd, even): (Vec<_>, Vec<_>) = held.into_iter().enumerate().partition(|(n, _)| n % 2 == 1);
            held = odd.into_iter().rev().chain(even).map(|(_, answer)| answer).collect();
        }
        self.send(held.concat().into()).await
    }

    /// Sends what is due, as far as the window goes.
    async fn deliver(&mut self) -> Next {
        while self.receives() && self.in_flight.len() < WINDOW {
            let Some(pdu) = self.centre.take_delivery() else { break };
            self.sequence = if self.sequence >= 0x7FFF_FFFF { 1 } else { self.sequence + 1 };
            let encoded = self.dressed(wire::encode(code::OK, self.sequence, pdu.clone()));
            let deadline = Instant::now() + self.centre.config.deliver_timeout;
            self.in_flight.insert(self.sequence, (pdu, deadline));
            if let Next::Close = self.send(encoded).await {
                return Next::Close;
            }
        }
        Next::On
    }

    async fn on_frame(&mut self, frame: Frame) -> Next {
        if self.centre.faults().silent {
            return Next::On;
        }
        match frame.id {
            command::BIND_TRANSCEIVER | command::BIND_TRANSMITTER | command::BIND_RECEIVER => {
                self.on_bind(&frame).await
            }
            command::SUBMIT_SM => self.on_submit(&frame).await,
            command::DELIVER_SM_RESP => {
                self.on_delivered(&frame);
                Next::On
            }
            command::ENQUIRE_LINK => {
                self.send(wire::encode(code::OK, frame.sequence, Pdu::EnquireLinkResp)).await
            }
            command::UNBIND => {
                let _ = self.send(wire::encode(code::OK, frame.sequence, Pdu::UnbindResp)).await;
                Next::Close
            }
            // After our unbind, the client's answer is its last word.
            command::UNBIND_RESP => Next::Close,
            id if id & command::RESPONSE_BIT != 0 => Next::On,
            _ => self.send(wire::encode(code::INVALID_COMMAND_ID, frame.sequence, Pdu::GenericNack)).await,
        }
    }

    async fn on_bind(&mut self, frame: &Frame) -> Next {
        let faults = self.centre.faults();
        if faults.bind_silent {
            return Next::On;
        }
        if faults.bind_delay_ms == 0 {
            return self.answer_bind(frame).await;
        }
        let delay = Duration::from_millis(faults.bind_delay_ms.min(DELAY_MS_MAX));
        self.binding = Some((Instant::now() + delay, frame.clone()));
        Next::On
    }

    async fn answer_bind(&mut self, frame: &Frame) -> Next {
        let config = &self.centre.config;
        let faults = self.centre.faults();
        let mut strings = frame.body.split(|&octet| octet == 0);
        let account = strings.next() == Some(config.system_id.as_bytes());
        let password = strings.next() == Some(config.password.as_bytes());
        let status = match () {
            () if self.bound.is_some() => code::ALREADY_BOUND,
            () if faults.bind_status != 0 => faults.bind_status,
            () if !account => code::INVALID_SYSTEM_ID,
            () if !password => code::INVALID_PASSWORD,
            () => code::OK,
        };
        // system_id of the centre; a refusal carries no body (SMPP 3.4 section 4.1.2).
        let body = if status == code::OK { Bytes::from_static(b"smsc\0") } else { Bytes::new() };
        let answer = Frame { id: frame.id | command::RESPONSE_BIT, status, sequence: frame.sequence, body };
        let mut answer = wire::encode_frame(&answer).to_vec();
        if status == code::OK {
            self.bound = Some(frame.id);
            if faults.bind_with_delivery && self.receives() {
                answer.extend_from_slice(&self.first_delivery());
            }
        }
        let sent = self.send(answer.into()).await;
        match status {
            code::OK | code::ALREADY_BOUND => sent,
            _ => Next::Close,
        }
    }

    /// A delivery that goes out with the answer to the bind; empty if none waits.
    fn first_delivery(&mut self) -> Vec<u8> {
        let Some(pdu) = self.centre.take_delivery() else { return Vec::new() };
        self.sequence += 1;
        let encoded = self.dressed(wire::encode(code::OK, self.sequence, pdu.clone()));
        self.in_flight.insert(self.sequence, (pdu, Instant::now() + self.centre.config.deliver_timeout));
        encoded.to_vec()
    }

    async fn on_submit(&mut self, frame: &Frame) -> Next {
        if !matches!(self.bound, Some(command::BIND_TRANSMITTER | command::BIND_TRANSCEIVER)) {
            return self.answer(frame.sequence, code::INVALID_BIND_STATUS, "").await;
        }
        let faults = self.centre.faults();
        let verdict = self.centre.submit(ShortMessage::read(&frame.body).as_ref());
        if faults.receipt_first
            && let Next::Close = self.deliver().await
        {
            return Next::Close;
        }
        if faults.deaf_ms != 0 {
            self.deaf_until = Some(Instant::now() + Duration::from_millis(faults.deaf_ms.min(DELAY_MS_MAX)));
        }
        let (sequence, id) = (frame.sequence, verdict.message_id.as_str());
        match verdict.fate {
            Fate::Refused(status) => self.answer(sequence, status, "").await,
            Fate::Nacked => self.send(wire::encode(code::SYSTEM_ERROR, sequence, Pdu::GenericNack)).await,
            Fate::Unanswered => Next::On,
            Fate::Dropped => Next::Close,
            Fate::Reset => {
                // Closed with a reset and not with a farewell.
                let _ = self.writer.as_ref().set_zero_linger();
                Next::Close
            }
            Fate::HalfAnswered => {
                let answer = self.submit_answer(sequence, code::OK, id);
                let _ = self.send(answer.slice(..answer.len() / 2)).await;
                Next::Close
            }
            Fate::Garbage => self.send(faults.garbage.octets().into()).await,
            Fate::Unbinding => {
                self.sequence += 1;
                let _ = self.send(wire::encode(code::OK, self.sequence, Pdu::Unbind)).await;
                self.answer(sequence, code::OK, id).await
            }
            Fate::Accepted | Fate::Undeliverable => self.answer(sequence, code::OK, id).await,
            Fate::AcceptedThenClosed => {
                let _ = self.answer(sequence, code::OK, id).await;
                Next::Close
            }
        }
    }

    /// The answer to a submit, as the faults have it.
    fn submit_answer(&self, sequence: u32, status: u32, message_id: &str) -> Bytes {
        let faults = self.centre.faults();
        let without_body = match status {
            code::OK => faults.answer_without_body,
            _ => !faults.refusals_with_body,
        };
        if without_body {
            return self.dressed(wire::encode_header(command::SUBMIT_SM_RESP, status, sequence));
        }
        let message_id = if status == code::OK { message_id } else { "REFUSED1" };
        let message_id = COctetString::from_str(message_id).unwrap_or_default();
        self.dressed(wire::encode(status, sequence, SubmitSmResp::builder().message_id(message_id).build()))
    }

    /// A PDU with a TLV that nobody knows, where the faults say so.
    fn dressed(&self, pdu: Bytes) -> Bytes {
        const UNKNOWN: &[u8] = &[0x3F, 0xFE, 0, 3, 1, 2, 3];
        let length = u32::try_from(pdu.len() + UNKNOWN.len()).unwrap_or(u32::MAX);
        match pdu.get(4..).filter(|_| self.centre.faults().unknown_tlvs) {
            Some(rest) => [&length.to_be_bytes()[..], rest, UNKNOWN].concat().into(),
            None => pdu,
        }
    }

    async fn answer(&mut self, sequence: u32, status: u32, message_id: &str) -> Next {
        let faults = self.centre.faults();
        let mut answer = self.submit_answer(sequence, status, message_id);
        if faults.answers_duplicated {
            answer = [&answer[..], &answer].concat().into();
        }
        if faults.answers_stray {
            // To submits that nobody has made, and to questions that nobody has asked.
            let mut stray = self.submit_answer(0x7000_0000 | sequence, code::OK, "STRAY").to_vec();
            stray.extend_from_slice(&wire::encode_header(command::ENQUIRE_LINK_RESP, 0, 0x7000_0001));
            stray.extend_from_slice(&wire::encode_header(command::GENERIC_NACK, 3, 0));
            stray.extend_from_slice(&answer);
            answer = stray.into();
        }
        if faults.answer_delay_ms == 0 {
            return self.send(answer).await;
        }
        self.held
            .push((Instant::now() + Duration::from_millis(faults.answer_delay_ms.min(DELAY_MS_MAX)), answer));
        // A client with an endless window must not fill the memory.
        if self.held.len() > HELD_MAX { self.release().await } else { Next::On }
    }

    fn on_delivered(&mut self, frame: &Frame) {
        let Some((pdu, _)) = self.in_flight.remove(&frame.sequence) else { return };
        match frame.status {
            // 0x65 is for good: delivering an unreadable text again changes nothing.
            code::OK | code::REFUSED => self.centre.delivered(),
            _ => self.centre.deliver_again(pdu),
        }
    }

    async fn send(&mut self, pdu: Bytes) -> Next {
        match timeout(PATIENCE, self.writer.write_all(&pdu)).await {
            Ok(Ok(())) => Next::On,
            Ok(Err(_)) | Err(_) => Next::Close,
        }
    }
}
