//! The writing half of the socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

const QUEUED: u8 = 0;
const WRITTEN: u8 = 1;
const CANCELLED: u8 = 2;

/// Settles between writer and link whether a submit left: exactly one of them wins.
#[derive(Clone, Default)]
pub(super) struct Ticket(Arc<AtomicU8>);

impl Ticket {
    /// Says whether the PDU may be written; from here on it may have left.
    pub(super) fn begin_write(&self) -> bool {
        self.0.compare_exchange(QUEUED, WRITTEN, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Says whether the PDU certainly never left; from here on it will not.
    pub(super) fn cancel(&self) -> bool {
        self.0.compare_exchange(QUEUED, CANCELLED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// One encoded PDU, with a ticket if it is a submit.
pub(super) struct Outgoing {
    pub(super) pdu: Bytes,
    pub(super) ticket: Option<Ticket>,
}

/// PDUs written in one go at most, so that a full window costs one system call.
const BATCH: usize = 64;

/// Writes what comes until the channel ends or the socket fails, then says goodbye to the peer.
pub(super) async fn write(mut half: impl AsyncWrite + Unpin, mut outgoing: mpsc::Receiver<Outgoing>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut octets = Vec::new();
    while outgoing.recv_many(&mut batch, BATCH).await > 0 {
        octets.clear();
        for Outgoing { pdu, ticket } in batch.drain(..) {
            if ticket.is_none_or(|ticket| ticket.begin_write()) {
                octets.extend_from_slice(&pdu);
            }
        }
        let written = async {
            half.write_all(&octets).await?;
            // Under TLS what is written may wait for this.
            half.flush().await
        };
        if let Err(error) = written.await {
            tracing::debug!(error = %error, "writing to the centre failed");
            return;
        }
    }
    // The reader learns of a broken connection by itself.
    let _ = half.shutdown().await;
}
