//! The task that holds a session together.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use rusmpp::Pdu;
use rusmpp::pdus::DeliverSmResp;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::codec::FramedRead;

use super::bind::{BIND_SEQUENCE, Bound, Reading};
use super::window::{Pending, Window};
use super::writer::{Outgoing, Ticket, Writer};
use super::{Closed, Request, SubmitError, Waiting};
use crate::BoxFuture;
use crate::config::BindConfig;
use crate::deliver::{self, DeliverAck, Delivered, Inbound};
use crate::limits::{DELIVERIES_MAX, DELIVERIES_WAITING_MAX, DELIVERY_TIME_MAX, PEER_DRAIN_MAX};
use crate::short_message::c_string;
use crate::status::{code, refusal};
use crate::wire::{self, Frame, FrameCodec, FrameError, command};

/// Frames and requests dealt with before what they left to write, and the clock, have their turn.
const TURN: u32 = 64;
/// An answer within this time is worth looking for again and again instead of sleeping: to be woken takes about as long.
/// Only a centre on this machine or the next one is so quick.
const SOON: Duration = Duration::from_micros(200);
/// Looks before sleeping all the same; each gives way to every other task.
const LOOKS_MAX: u32 = 64;
/// How long the connection stays open after the last word, for the peer to close it.
const LINGER: Duration = Duration::from_secs(1);

/// Where a session is in its life.
enum Phase {
    Open,
    /// Nothing more is taken; what is open is waited for. The sequence is that of the peer's unbind.
    Draining {
        by_peer: Option<u32>,
        until: Instant,
    },
    /// Our unbind is sent.
    Unbinding {
        until: Instant,
    },
    /// The peer's unbind is answered.
    Lingering {
        until: Instant,
    },
}

pub(super) struct Link {
    config: BindConfig,
    inbound: Arc<dyn Inbound>,
    reader: FramedRead<Reading, FrameCodec>,
    early: VecDeque<Frame>,
    writer: Writer,
    /// Steps since writing and the clock had their turn.
    steps: u32,
    /// Looks left before sleeping.
    looks: u32,
    slots: Arc<Semaphore>,
    requests: mpsc::Receiver<Request>,
    requests_open: bool,
    window: Window,
    deliveries: FuturesUnordered<BoxFuture<'static, (u32, u32)>>,
    waiting: VecDeque<Frame>,
    phase: Phase,
    heard: Instant,
    enquired: Option<Instant>,
}

impl Link {
    pub(super) fn new(
        config: BindConfig,
        inbound: Arc<dyn Inbound>,
        bound: Bound,
        slots: Arc<Semaphore>,
        requests: mpsc::Receiver<Request>,
    ) -> Self {
        // Submits are bounded by the window and answers by the deliveries; a peer that lets this fill up
        // has stopped reading.
        let waiting_max = 2 * config.window.min(4096) + DELIVERIES_MAX + DELIVERIES_WAITING_MAX;
        Self {
            window: Window::new(config.response_timeout, BIND_SEQUENCE),
            config,
            inbound,
            reader: bound.reader,
            early: bound.early,
            writer: Writer::new(bound.writer, waiting_max),
            steps: 0,
            looks: 0,
            slots,
            requests,
            requests_open: true,
            deliveries: FuturesUnordered::new(),
            waiting: VecDeque::new(),
            phase: Phase::Open,
            heard: Instant::now(),
            enquired: None,
        }
    }

    /// Runs the session to its end and tells the reason.
    pub(super) async fn run(mut self, ended: watch::Sender<Option<Closed>>) {
        let reason = loop {
            if let Some(reason) = self.step().await {
                break reason;
            }
        };
        tracing::debug!(reason = %reason, "SMPP session ended");
        self.slots.close();
        self.requests.close();
        // What is queued may be the last answer, so it gets a moment; then it is certain that nothing more
        // leaves, before anything is called not sent.
        if let Ok(Err(error)) = timeout(LINGER, self.writer.finish()).await {
            tracing::debug!(error = %error, "writing to the centre failed");
        }
        self.window.end_all();
        while let Ok(request) = self.requests.try_recv() {
            never_sent(request);
        }
        ended.send_replace(Some(reason));
        // A caller may have got in between the two; the channel is closed, so this ends.
        while let Some(request) = self.requests.recv().await {
            never_sent(request);
        }
    }

    /// Waits for one thing to happen and deals with it.
    async fn step(&mut self) -> Option<Closed> {
        if let Some(frame) = self.early.pop_front() {
            return self.on_frame(frame);
        }
        self.steps += 1;
        if self.steps >= TURN {
            self.steps = 0;
            let written = self.writer.advance().now_or_never().unwrap_or(Ok(()));
            if let Some(reason) = self.on_written(written).or_else(|| self.on_time()) {
                return Some(reason);
            }
        }
        let deadline = self.next_deadline();
        // First what is there already, so that what it leaves to write goes out together.
        let done = tokio::select! {
            biased;
            frame = self.reader.next() => match frame {
                Some(Ok(frame)) => self.on_frame(frame),
                Some(Err(FrameError::Io(_) | FrameError::CutShort)) | None => Some(self.on_end()),
                Some(Err(error)) => Some(Closed::Malformed(error.to_string())),
            },
            request = self.requests.recv(), if self.requests_open => self.on_request(request),
            Some((sequence, status)) = self.deliveries.next() => self.on_delivered(sequence, status),
            written = self.writer.advance(), if !self.writer.is_idle() => self.on_written(written),
            () = yield_now(), if self.looks > 0 && !self.window.is_empty() => {
                self.looks -= 1;
                None
            }
            () = sleep_until(deadline) => self.on_time(),
        };
        done.or_else(|| self.on_drained())
    }

    fn next_deadline(&self) -> Instant {
        let test = match self.enquired {
            Some(sent) => sent + self.config.response_timeout,
            None => self.heard + self.config.enquire_link.max(Duration::from_millis(1)),
        };
        let phase = match self.phase {
            Phase::Open => test,
            Phase::Draining { until, .. } | Phase::Unbinding { until } | Phase::Lingering { until } => until,
        };
        [Some(test), Some(phase), self.window.next_deadline()].into_iter().flatten().min().unwrap_or(test)
    }

    fn on_written(&mut self, written: io::Result<()>) -> Option<Closed> {
        let error = written.err()?;
        tracing::debug!(error = %error, "writing to the centre failed");
        Some(self.on_end())
    }

    fn on_end(&self) -> Closed {
        match self.phase {
            Phase::Unbinding { .. } => Closed::Unbound,
            Phase::Lingering { .. } | Phase::Draining { by_peer: Some(_), .. } => Closed::UnboundByPeer,
            Phase::Open | Phase::Draining { by_peer: None, .. } => Closed::Disconnected,
        }
    }

    fn on_time(&mut self) -> Option<Closed> {
        let now = Instant::now();
        self.window.expire(now);
        match self.phase {
            Phase::Unbinding { until } | Phase::Lingering { until } if until <= now => {
                return Some(self.on_end());
            }
            _ => {}
        }
        match self.enquired {
            Some(sent) if sent + self.config.response_timeout <= now => Some(Closed::Silent),
            None if self.heard + self.config.enquire_link <= now => {
                self.enquired = Some(now);
                let sequence = self.window.next_sequence();
                self.send(wire::encode(code::OK, sequence, Pdu::EnquireLink))
            }
            _ => None,
        }
    }

    fn on_request(&mut self, request: Option<Request>) -> Option<Closed> {
        match (request, &self.phase) {
            // The peer has unbound: what is still here must not be written.
            (Some(request @ Request::Submit(_)), Phase::Draining { by_peer: Some(_), .. })
            | (Some(request @ Request::Submit(_)), Phase::Unbinding { .. } | Phase::Lingering { .. }) => {
                never_sent(request);
                None
            }
            (Some(Request::Submit(waiting)), _) => self.submit(*waiting),
            (Some(Request::Unbind), Phase::Open) => {
                self.drain(None, self.config.response_timeout);
                None
            }
            (Some(Request::Unbind), _) => None,
            (None, phase) => {
                // Every face is gone, or was told to go.
                self.requests_open = false;
                if matches!(phase, Phase::Open) {
                    self.drain(None, self.config.response_timeout);
                }
                None
            }
        }
    }

    fn submit(&mut self, waiting: Waiting) -> Option<Closed> {
        let Waiting { pdu, tag, leave_by, slot, answer } = waiting;
        let sequence = self.window.next_sequence();
        let ticket = Ticket::leaving_by(leave_by);
        let outgoing = Outgoing { pdu: wire::encode(code::OK, sequence, pdu), ticket: Some(ticket.clone()) };
        self.window.insert(sequence, Pending { answer, tag, ticket, since: Instant::now(), _slot: slot });
        (!self.writer.push(outgoing)).then_some(Closed::Stalled)
    }

    fn on_frame(&mut self, frame: Frame) -> Option<Closed> {
        self.heard = Instant::now();
        self.enquired = None;
        match frame.id {
            command::ENQUIRE_LINK => self.send(wire::encode(code::OK, frame.sequence, Pdu::EnquireLinkResp)),
            command::SUBMIT_SM_RESP | command::GENERIC_NACK => {
                self.on_answer(&frame);
                None
            }
            command::DELIVER_SM => self.on_deliver(frame),
            command::UNBIND => self.on_unbind(frame.sequence),
            command::UNBIND_RESP if matches!(self.phase, Phase::Unbinding { .. }) => Some(Closed::Unbound),
            // Stray answers are harmless; these two requests want no answer.
            id if id & command::RESPONSE_BIT != 0 => None,
            command::ALERT_NOTIFICATION | command::OUTBIND => None,
            id => {
                tracing::debug!(smpp.command = id, "unknown command from the centre");
                self.send(wire::encode(code::INVALID_COMMAND_ID, frame.sequence, Pdu::GenericNack))
            }
        }
    }

    fn on_answer(&mut self, frame: &Frame) {
        let answer = match frame.status {
            // A good answer without a body, or with a body that cannot be read, is good all the same.
            code::OK if frame.id == command::SUBMIT_SM_RESP => Ok(c_string(&frame.body).unwrap_or_default()),
            status => Err(SubmitError::Refused { status, kind: refusal(status) }),
        };
        if let Some(pending) = self.window.answered(frame.sequence) {
            self.looks = if pending.since.elapsed() < SOON { LOOKS_MAX } else { 0 };
            // The caller may have gone; the slot is freed all the same.
            let _ = pending.answer.send(answer);
        } else if let Some(tag) = self.window.answered_late(frame.sequence) {
            let inbound = Arc::clone(&self.inbound);
            tokio::spawn(async move { inbound.answered_late(tag, answer).await });
        } else {
            tracing::debug!(smpp.sequence = frame.sequence, "stray answer from the centre");
        }
    }

    fn on_deliver(&mut self, frame: Frame) -> Option<Closed> {
        if self.deliveries.len() < DELIVERIES_MAX {
            self.start_delivery(frame);
        } else if self.waiting.len() < DELIVERIES_WAITING_MAX {
            self.waiting.push_back(frame);
        } else {
            return self.acknowledge(frame.sequence, code::TRY_LATER);
        }
        None
    }

    fn start_delivery(&mut self, frame: Frame) {
        let delivered = deliver::read(&frame.body, self.config.default_alphabet);
        let readable = !matches!(delivered, Delivered::Unreadable { .. });
        let inbound = Arc::clone(&self.inbound);
        // A task of its own, so that a panic in it costs one delivery; should the session end first, it
        // still runs to its end, and the centre's second delivery is a copy.
        let mut handling = tokio::spawn(async move { inbound.deliver(delivered).await });
        self.deliveries.push(Box::pin(async move {
            let ack = match timeout(DELIVERY_TIME_MAX, &mut handling).await {
                Ok(Ok(ack)) => ack,
                Ok(Err(_panicked)) => DeliverAck::TryLater,
                Err(_elapsed) => {
                    handling.abort();
                    DeliverAck::TryLater
                }
            };
            (frame.sequence, deliver::status(ack, readable))
        }));
    }

    fn on_delivered(&mut self, sequence: u32, status: u32) -> Option<Closed> {
        if let Some(frame) = self.waiting.pop_front() {
            self.start_delivery(frame);
        }
        self.acknowledge(sequence, status)
    }

    fn acknowledge(&mut self, sequence: u32, status: u32) -> Option<Closed> {
        self.send(wire::encode(status, sequence, DeliverSmResp::default()))
    }

    fn on_unbind(&mut self, sequence: u32) -> Option<Closed> {
        match self.phase {
            Phase::Open | Phase::Draining { by_peer: None, .. } => {
                self.drain(Some(sequence), PEER_DRAIN_MAX);
                None
            }
            // Both sides said it, or the peer says it again.
            _ => self.send(wire::encode(code::OK, sequence, Pdu::UnbindResp)),
        }
    }

    fn drain(&mut self, by_peer: Option<u32>, limit: Duration) {
        self.slots.close();
        self.phase = Phase::Draining { by_peer, until: Instant::now() + limit };
        if by_peer.is_none() {
            self.requests.close();
        }
    }

    /// Goes on once what was open has been answered, or waited for long enough.
    fn on_drained(&mut self) -> Option<Closed> {
        let Phase::Draining { by_peer, until } = self.phase else { return None };
        let now = Instant::now();
        let requests_done = by_peer.is_some() || !self.requests_open;
        let quiet =
            requests_done && self.window.is_empty() && self.deliveries.is_empty() && self.waiting.is_empty();
        if !quiet && now < until {
            return None;
        }
        match by_peer {
            Some(sequence) => {
                self.phase = Phase::Lingering { until: now + LINGER };
                self.send(wire::encode(code::OK, sequence, Pdu::UnbindResp))
            }
            None => {
                self.phase = Phase::Unbinding { until: now + self.config.bind_timeout };
                let sequence = self.window.next_sequence();
                self.send(wire::encode(code::OK, sequence, Pdu::Unbind))
            }
        }
    }

    fn send(&mut self, pdu: Bytes) -> Option<Closed> {
        (!self.writer.push(Outgoing { pdu, ticket: None })).then_some(Closed::Stalled)
    }
}

fn never_sent(request: Request) {
    if let Request::Submit(waiting) = request {
        let _ = waiting.answer.send(Err(SubmitError::NotSent));
    }
}
