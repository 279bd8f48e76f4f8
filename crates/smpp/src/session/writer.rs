//! The writing half of the socket.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use super::bind::Writing;

const QUEUED: u8 = 0;
const WRITTEN: u8 = 1;
const CANCELLED: u8 = 2;

/// Settles between writer and link whether a submit left: exactly one of them wins.
#[derive(Clone, Default)]
pub(super) struct Ticket {
    state: Arc<AtomicU8>,
    leave_by: Option<Instant>,
}

impl Ticket {
    pub(super) fn leaving_by(leave_by: Option<Instant>) -> Self {
        Self { state: Arc::default(), leave_by }
    }

    /// Says whether the PDU may be written; from here on it may have left. One that is late never leaves.
    pub(super) fn begin_write(&self) -> bool {
        if self.leave_by.is_some_and(|leave_by| Instant::now() >= leave_by) {
            return false;
        }
        self.state.compare_exchange(QUEUED, WRITTEN, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Says whether the PDU certainly never left; from here on it will not.
    pub(super) fn cancel(&self) -> bool {
        self.state.compare_exchange(QUEUED, CANCELLED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// One encoded PDU, with a ticket if it is a submit.
pub(super) struct Outgoing {
    pub(super) pdu: Bytes,
    pub(super) ticket: Option<Ticket>,
}

/// Octets gathered for one system call, as far as PDUs wait.
const GATHERED: usize = 16 << 10;

/// The writing half, and what waits for it. Nothing here waits for the peer to read: the session goes on reading.
pub(super) struct Writer {
    half: Writing,
    waiting: VecDeque<Outgoing>,
    waiting_max: usize,
    /// What has begun to leave.
    octets: BytesMut,
    /// Under TLS what is written may wait for a flush.
    unflushed: bool,
}

impl Writer {
    pub(super) fn new(half: Writing, waiting_max: usize) -> Self {
        Self { half, waiting: VecDeque::new(), waiting_max, octets: BytesMut::new(), unflushed: false }
    }

    /// Queues a PDU; `false` when so many wait that the peer has stopped reading.
    pub(super) fn push(&mut self, outgoing: Outgoing) -> bool {
        let has_room = self.waiting.len() < self.waiting_max;
        if has_room {
            self.waiting.push_back(outgoing);
        }
        has_room
    }

    /// Whether there is nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.octets.is_empty() && !self.unflushed
    }

    /// Takes one step of writing what waits. Nothing is lost where it is dropped before its end.
    pub(super) async fn advance(&mut self) -> io::Result<()> {
        while self.octets.len() < GATHERED
            && let Some(Outgoing { pdu, ticket }) = self.waiting.pop_front()
        {
            if ticket.is_none_or(|ticket| ticket.begin_write()) {
                self.octets.extend_from_slice(&pdu);
            }
        }
        if !self.octets.is_empty() {
            self.unflushed = true;
            if self.half.write_buf(&mut self.octets).await? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        if self.octets.is_empty() {
            self.half.flush().await?;
            self.unflushed = false;
        }
        Ok(())
    }

    /// Writes all that waits, and says goodbye to the peer.
    pub(super) async fn finish(mut self) -> io::Result<()> {
        while !self.is_idle() {
            self.advance().await?;
        }
        self.half.shutdown().await
    }
}
