//! The parts of long replies: none is acknowledged while it is in memory alone.

use smpp::simulator::{Faults, LongReply};
use smpp::wire::{Frame, FrameCodec, command, encode_frame};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::Decoder;

use crate::bench::{Bench, PHONE, Running, centre, soon};

const MARKINGS: [LongReply; 3] = [LongReply::Header8, LongReply::Header16, LongReply::Sar];

/// Long replies arrive as they were written.
async fn joined(markings: &[LongReply], characters: usize, parts_reordered: bool) {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start(&bench, centre.smpp_addr());
    for (n, &long_reply) in markings.iter().enumerate() {
        centre.set_faults(Faults { long_reply, parts_reordered, ..Faults::default() });
        let text = format!("{n}{}", "我要订购".repeat(characters / 4));
        centre.reply(PHONE, "10690001", &text).await.unwrap();
        bench.until(async || centre.deliveries_open() == 0).await;
        let replies = bench.replies().await;
        assert_eq!(replies.iter().map(|reply| reply.body.as_str()).collect::<Vec<_>>(), [text.as_str()]);
    }
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_reply_is_joined_however_its_parts_are_marked() {
    joined(&[&MARKINGS[..], &[LongReply::Payload]].concat(), 120, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_reordered() {
    joined(&MARKINGS, 160, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_missing() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start(&bench, centre.smpp_addr());
    for long_reply in MARKINGS {
        centre.set_faults(Faults { long_reply, part_missing: true, ..Faults::default() });
        centre.reply(PHONE, "10690001", &"我要订购".repeat(40)).await.unwrap();
    }
    bench.until(async || centre.deliveries_open() == 0).await;
    assert!(bench.replies().await.is_empty());
    centre.set_faults(Faults::default());
    centre.reply(PHONE, "10690001", "4827").await.unwrap();
    bench.until(async || centre.deliveries_open() == 0).await;
    assert_eq!(bench.replies().await.len(), 1);
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_while_the_store_is_away_stay_with_the_centre() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start(&bench, centre.smpp_addr());
    soon(running.link.bound()).await;
    bench.store.close().await;
    centre.reply(PHONE, "10690001", &"我要订购".repeat(30)).await.unwrap();
    bench.pass_s(10).await;
    assert_eq!(centre.deliveries_open(), 2);
    soon(running.stop()).await;
}

/// A centre that says what the test says, one connection at a time.
struct Scripted {
    listener: TcpListener,
}

impl Scripted {
    async fn bound(&self) -> (TcpStream, BytesMut) {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut read = BytesMut::new();
        let bind = next(&mut stream, &mut read).await;
        let answer = command::BIND_TRANSCEIVER_RESP;
        send(&mut stream, answer, bind.sequence, b"smsc\0").await;
        (stream, read)
    }
}

async fn send(stream: &mut TcpStream, id: u32, sequence: u32, body: &[u8]) {
    let frame = Frame { id, status: 0, sequence, body: Bytes::copy_from_slice(body) };
    stream.write_all(&encode_frame(&frame)).await.unwrap();
}

async fn next(stream: &mut TcpStream, read: &mut BytesMut) -> Frame {
    loop {
        if let Some(frame) = FrameCodec.decode(read).unwrap() {
            return frame;
        }
        stream.readable().await.unwrap();
        match stream.try_read_buf(read) {
            Ok(0) => panic!("the link closed"),
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
}

/// The body of one of two parts from [`PHONE`] to our number.
fn part(number: u8, words: &[u8]) -> Vec<u8> {
    let mut body = b"\0\x01\x018613800138000\0\0\x0010690001\0\x40\0\0\0\0\0\0\0\0".to_vec();
    body.push(6 + u8::try_from(words.len()).unwrap());
    body.extend_from_slice(&[5, 0, 3, 9, 2, number]);
    body.extend_from_slice(words);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_acknowledged_before_a_death_is_joined_after_it() {
    let bench = Bench::new();
    let scripted = Scripted { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() };
    let address = scripted.listener.local_addr().unwrap();
    for (number, words) in [(2, &b"2 7"[..]), (1, b"4 8 ")] {
        let running = Running::start(&bench, address);
        let (mut stream, mut read) = soon(scripted.bound()).await;
        send(&mut stream, command::DELIVER_SM, 7, &part(number, words)).await;
        let acknowledged = soon(next(&mut stream, &mut read)).await;
        assert_eq!((acknowledged.id, acknowledged.status), (command::DELIVER_SM_RESP, 0));
        running.kill().await;
    }
    let replies = bench.replies().await;
    assert_eq!(replies.iter().map(|reply| reply.body.as_str()).collect::<Vec<_>>(), ["4 8 2 7"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undecodable_body_is_kept_and_refused_and_the_session_lives() {
    let bench = Bench::new();
    let scripted = Scripted { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() };
    let running = Running::start(&bench, scripted.listener.local_addr().unwrap());
    let (mut stream, mut read) = soon(scripted.bound()).await;
    let binary = b"\0\x01\x018613800138000\0\0\x0010690001\0\0\0\0\0\0\0\0\x04\0\x02\xff\xfe";
    for (sequence, body) in [(7, &b"no body of a delivery"[..]), (8, binary)] {
        send(&mut stream, command::DELIVER_SM, sequence, body).await;
        let refused = soon(next(&mut stream, &mut read)).await;
        assert_eq!(
            (refused.id, refused.status, refused.sequence),
            (command::DELIVER_SM_RESP, 0x65, sequence)
        );
    }
    let unread =
        bench.store.read::<_, store::StoreError, _>(|view| view.texts().list_unread(10)).await.unwrap();
    let mut kept: Vec<_> = unread.iter().map(|unread| unread.octets.as_slice()).collect();
    kept.sort_unstable();
    assert_eq!(kept, [&b"no body of a delivery"[..], b"\xff\xfe"]);
    assert!(running.link.is_bound());
    running.kill().await;
}
