//! What the tests share: a simulated centre, a scripted one, and a place for deliveries.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use smpp::simulator::{Config, Simulator};
use smpp::wire::{Frame, FrameCodec, command, encode_frame};
use smpp::{
    Address, BindConfig, BoxFuture, DeliverAck, Delivered, Inbound, Session, Submit, SubmitError, text,
};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio_util::codec::Framed;

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW_MS: i64 = 1_767_225_600_000;

pub(crate) async fn simulator() -> Simulator {
    simulator_with(|_| {}).await
}

pub(crate) async fn simulator_with(change: impl FnOnce(&mut Config)) -> Simulator {
    let mut config = Config::new(Arc::new(|| NOW_MS));
    config.redeliver_after = Duration::from_millis(10);
    change(&mut config);
    Simulator::start(listener().await, listener().await, config).await
}

pub(crate) async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

pub(crate) fn config(port: u16) -> BindConfig {
    BindConfig::new("127.0.0.1", port, "test", "test")
}

pub(crate) fn submits(to: &str, text: &str) -> Vec<Submit> {
    text::segments(text, 7)
        .into_iter()
        .map(|segment| Submit {
            source: Address::short_code("10690001"),
            destination: Address::international(to),
            segment,
            validity: Some(Duration::from_secs(60)),
            receipt: true,
            leave_by: None,
        })
        .collect()
}

pub(crate) fn submit(text: &str) -> Submit {
    submits("+8613800138000", text).remove(0)
}

/// Waits for a condition, for as long as the test runner allows.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Keeps what is delivered. Answers are given in turn, `Stored` once they run out.
#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) delivered: Mutex<Vec<Delivered>>,
    pub(crate) acks: Mutex<Vec<DeliverAck>>,
    pub(crate) late: Mutex<Vec<(u128, Result<String, SubmitError>)>>,
    /// Deliveries wait here if it is set.
    pub(crate) gate: Option<Semaphore>,
    pub(crate) running: AtomicUsize,
    pub(crate) most: AtomicUsize,
    arrived: Notify,
}

impl Inbox {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn answering(acks: &[DeliverAck]) -> Arc<Self> {
        Arc::new(Self { acks: Mutex::new(acks.iter().rev().copied().collect()), ..Self::default() })
    }

    pub(crate) fn gated() -> Arc<Self> {
        Arc::new(Self { gate: Some(Semaphore::new(0)), ..Self::default() })
    }

    /// Waits until so many deliveries have come, and gives them all.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Delivered> {
        loop {
            let arrived = self.arrived.notified();
            let delivered = self.delivered.lock().unwrap().clone();
            if delivered.len() >= count {
                return delivered;
            }
            arrived.await;
        }
    }
}

impl Inbound for Inbox {
    fn deliver(&self, delivered: Delivered) -> BoxFuture<'_, DeliverAck> {
        Box::pin(async move {
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(running, Ordering::SeqCst);
            if let Some(gate) = &self.gate {
                gate.acquire().await.unwrap().forget();
            }
            self.running.fetch_sub(1, Ordering::SeqCst);
            self.delivered.lock().unwrap().push(delivered);
            let ack = self.acks.lock().unwrap().pop().unwrap_or(DeliverAck::Stored);
            self.arrived.notify_waiters();
            ack
        })
    }

    fn answered_late(&self, tag: u128, answer: Result<String, SubmitError>) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.late.lock().unwrap().push((tag, answer)) })
    }
}

/// The centre's end of one connection, driven by the test PDU by PDU.
pub(crate) struct Peer(pub(crate) Framed<TcpStream, FrameCodec>);

pub(crate) fn frame(id: u32, status: u32, sequence: u32, body: &[u8]) -> Frame {
    Frame { id, status, sequence, body: Bytes::copy_from_slice(body) }
}

impl Peer {
    pub(crate) async fn next(&mut self) -> Frame {
        self.0.next().await.expect("the session closed").expect("the session speaks SMPP")
    }

    /// The next frame other than an enquire_link; `None` once the session has closed.
    pub(crate) async fn next_or_end(&mut self) -> Option<Frame> {
        self.0.next().await?.ok()
    }

    pub(crate) async fn send(&mut self, id: u32, status: u32, sequence: u32, body: &[u8]) {
        self.raw(&encode_frame(&frame(id, status, sequence, body))).await;
    }

    pub(crate) async fn raw(&mut self, octets: &[u8]) {
        self.0.get_mut().write_all(octets).await.unwrap();
    }

    /// Takes the next submit and answers it with this id.
    pub(crate) async fn accept(&mut self, message_id: &str) -> Frame {
        let submit = self.next().await;
        assert_eq!(submit.id, command::SUBMIT_SM);
        self.send(command::SUBMIT_SM_RESP, 0, submit.sequence, format!("{message_id}\0").as_bytes()).await;
        submit
    }
}

/// Binds a session to a scripted centre and hands over both ends.
pub(crate) async fn scripted(
    change: impl FnOnce(&mut BindConfig),
    inbound: Arc<dyn Inbound>,
) -> (Session, Peer) {
    let listener = listener().await;
    let mut config = config(listener.local_addr().unwrap().port());
    change(&mut config);
    let bound = tokio::spawn(Session::bind(config, inbound));
    let (stream, _) = listener.accept().await.unwrap();
    let mut peer = Peer(Framed::new(stream, FrameCodec));
    let bind = peer.next().await;
    assert_eq!(bind.id, command::BIND_TRANSCEIVER);
    assert_eq!(&bind.body[..], b"test\0test\0\0\x34\0\0\0");
    peer.send(command::BIND_TRANSCEIVER_RESP, 0, bind.sequence, b"smsc\0").await;
    (bound.await.unwrap().unwrap(), peer)
}

/// A deliver_sm body from a phone to a service.
pub(crate) fn deliver_body(esm_class: u8, data_coding: u8, message: &[u8], tlvs: &[u8]) -> Vec<u8> {
    let mut body = b"\0\x01\x018613800138000\0\0\0".to_vec();
    body.extend_from_slice(b"10690001\0");
    body.extend_from_slice(&[
        esm_class,
        0,
        0,
        0,
        0,
        0,
        0,
        data_coding,
        0,
        u8::try_from(message.len()).unwrap(),
    ]);
    body.extend_from_slice(message);
    body.extend_from_slice(tlvs);
    body
}
