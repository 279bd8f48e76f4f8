//! The simulated centre against clients that are not ours, octet by octet.

use smpp::Session;
use smpp::simulator::Simulator;
use smpp::wire::{FrameCodec, command};
use tokio::net::TcpStream;
use tokio_util::codec::Framed;

use crate::fixtures::{Inbox, Peer, config, deliver_body, simulator, submit, until};

async fn connect(simulator: &Simulator) -> Peer {
    Peer(Framed::new(TcpStream::connect(simulator.smpp_addr()).await.unwrap(), FrameCodec))
}

async fn bound(simulator: &Simulator, id: u32) -> Peer {
    let mut client = connect(simulator).await;
    client.send(id, 0, 1, b"test\0test\0\0\x34\0\0\0").await;
    let answer = client.next().await;
    assert_eq!((answer.id, answer.status, answer.sequence), (id | command::RESPONSE_BIT, 0, 1));
    client
}

#[tokio::test]
async fn a_transmitter_sends_and_a_receiver_receives() {
    let simulator = simulator().await;
    let mut sender = bound(&simulator, command::BIND_TRANSMITTER).await;
    let mut receiver = bound(&simulator, command::BIND_RECEIVER).await;
    simulator.reply("13800138000", "10690001", "YES").await.unwrap();
    let delivery = receiver.next().await;
    assert_eq!(delivery.id, command::DELIVER_SM);
    receiver.send(command::DELIVER_SM_RESP, 0, delivery.sequence, b"\0").await;
    until(|| simulator.deliveries_open() == 0).await;
    // The bodies of submit_sm and deliver_sm are laid out alike; this one goes to a short number.
    sender.send(command::SUBMIT_SM, 0, 2, &deliver_body(0, 0, b"hi", b"")).await;
    let answer = sender.next().await;
    assert_eq!((answer.id, answer.status, answer.sequence), (command::SUBMIT_SM_RESP, 0, 2));
    assert_eq!(simulator.texts("10690001").await[0].from, "+8613800138000");
    receiver.send(command::SUBMIT_SM, 0, 2, &deliver_body(0, 0, b"hi", b"")).await;
    assert_eq!(receiver.next().await.status, 0x04);
}

#[tokio::test]
async fn binds_are_checked() {
    let simulator = simulator().await;
    for (account, status) in
        [(&b"nobody\0test\0\0\x34\0\0\0"[..], 0x0F), (b"test\0no\0\0\x34\0\0\0", 0x0E), (b"", 0x0F)]
    {
        let mut client = connect(&simulator).await;
        client.send(command::BIND_TRANSCEIVER, 0, 1, account).await;
        assert_eq!(client.next().await.status, status);
        assert!(client.next_or_end().await.is_none());
    }
    let mut client = bound(&simulator, command::BIND_TRANSCEIVER).await;
    client.send(command::BIND_TRANSCEIVER, 0, 2, b"test\0test\0\0\x34\0\0\0").await;
    assert_eq!(client.next().await.status, 0x05);
}

#[tokio::test]
async fn nonsense_costs_its_own_connection_and_no_other() {
    let simulator = simulator().await;
    let session = Session::bind(config(simulator.smpp_addr().port()), Inbox::new()).await.unwrap();
    for octets in [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], &[0, 0, 0, 1, 0, 0], &[0xFF; 40]] {
        let mut client = connect(&simulator).await;
        client.raw(octets).await;
        assert!(client.next_or_end().await.is_none());
    }
    let mut client = bound(&simulator, command::BIND_TRANSCEIVER).await;
    client.send(command::SUBMIT_SM, 0, 2, b"malformed").await;
    assert_eq!(client.next().await.status, 0x08);
    client.send(0x0000_0021, 0, 3, b"submit_multi").await;
    let nack = client.next().await;
    assert_eq!((nack.id, nack.status, nack.sequence), (command::GENERIC_NACK, 3, 3));
    client.send(command::UNBIND, 0, 4, b"").await;
    assert_eq!(client.next().await.id, command::UNBIND_RESP);
    assert!(client.next_or_end().await.is_none());
    assert!(session.submit(submit("hi")).await.is_ok());
}

#[tokio::test]
async fn a_receiver_that_never_acknowledges_gets_the_text_again() {
    let simulator = crate::fixtures::simulator_with(|config| {
        config.deliver_timeout = std::time::Duration::from_millis(20)
    })
    .await;
    let mut receiver = bound(&simulator, command::BIND_RECEIVER).await;
    simulator.reply("13800138000", "10690001", "YES").await.unwrap();
    let first = receiver.next().await;
    let second = receiver.next().await;
    assert_ne!(first.sequence, second.sequence);
    assert_eq!(first.body, second.body);
}
