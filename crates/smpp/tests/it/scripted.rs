//! Sessions against a centre that does exactly what the test says, octet by octet.

use std::sync::Arc;
use std::time::Duration;

use smpp::wire::{command, encode_frame};
use smpp::{
    BindError, Closed, DeliverAck, Delivered, Part, ReceiptState, Refusal, Session, Submit, SubmitError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::fixtures::{Inbox, Peer, config, deliver_body, frame, listener, scripted, submit, until};

fn quick(config: &mut smpp::BindConfig) {
    config.response_timeout = Duration::from_millis(50);
}

fn submit_in_task(session: &Session) -> tokio::task::JoinHandle<Result<String, SubmitError>> {
    let session = session.clone();
    tokio::spawn(async move { session.submit(submit("hi")).await })
}

/// Reads the acknowledgement of a delivery, passing over the session's own requests.
async fn acknowledgement(peer: &mut Peer) -> (u32, u32) {
    loop {
        let frame = peer.next().await;
        if frame.id == command::DELIVER_SM_RESP {
            return (frame.sequence, frame.status);
        }
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = listener().await;
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    assert!(matches!(Session::bind(config(port), Inbox::new()).await, Err(BindError::Unreachable(_))));
}

#[tokio::test]
async fn a_centre_that_hangs_up_during_the_bind_is_unreachable() {
    let listener = listener().await;
    let bound = tokio::spawn(Session::bind(config(listener.local_addr().unwrap().port()), Inbox::new()));
    drop(listener.accept().await.unwrap());
    assert!(matches!(bound.await.unwrap(), Err(BindError::Unreachable(_))));
}

#[tokio::test]
async fn http_instead_of_a_bind_answer_is_a_protocol_fault() {
    let listener = listener().await;
    let bound = tokio::spawn(Session::bind(config(listener.local_addr().unwrap().port()), Inbox::new()));
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    assert!(matches!(bound.await.unwrap(), Err(BindError::Protocol(_))));
}

#[tokio::test]
async fn an_account_that_does_not_fit_is_a_protocol_fault() {
    let mut config = config(1);
    config.password = "much too long".to_owned();
    assert!(matches!(Session::bind(config, Inbox::new()).await, Err(BindError::Protocol(_))));
}

#[tokio::test]
async fn a_delivery_in_the_same_segment_as_the_bind_answer_is_taken() {
    let listener = listener().await;
    let inbox = Inbox::new();
    let bound = tokio::spawn(Session::bind(config(listener.local_addr().unwrap().port()), inbox.clone()));
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut both =
        encode_frame(&frame(command::DELIVER_SM, 0, 8, &deliver_body(0, 0, b"early", b""))).to_vec();
    both.extend_from_slice(&encode_frame(&frame(command::BIND_TRANSCEIVER_RESP, 0, 1, b"")));
    both.extend_from_slice(&encode_frame(&frame(
        command::DELIVER_SM,
        0,
        9,
        &deliver_body(0, 0, b"YES", b""),
    )));
    stream.write_all(&both).await.unwrap();
    let _session = bound.await.unwrap().unwrap();
    inbox.wait_for(2).await;
}

#[tokio::test]
async fn no_more_than_the_window_is_sent_unanswered() {
    let (session, mut peer) = scripted(|config| config.window = 2, Inbox::new()).await;
    let sending: Vec<_> = (0..5).map(|_| submit_in_task(&session)).collect();
    let first = peer.next().await;
    let second = peer.next().await;
    assert_eq!(session.window_in_use(), 2);
    let more = tokio::time::timeout(Duration::from_millis(50), peer.next()).await;
    assert!(more.is_err(), "a third submit while the window is full");
    // Answered in reverse, and then as they come.
    for submit in [second, first] {
        peer.send(command::SUBMIT_SM_RESP, 0, submit.sequence, format!("{}\0", submit.sequence).as_bytes())
            .await;
    }
    for _ in 0..3 {
        peer.accept("x").await;
    }
    for sent in sending {
        assert!(sent.await.unwrap().is_ok());
    }
    assert_eq!(session.window_in_use(), 0);
}

#[tokio::test]
async fn a_dropped_submit_keeps_its_slot_until_the_answer() {
    let (session, mut peer) = scripted(|config| config.window = 1, Inbox::new()).await;
    let sending = submit_in_task(&session);
    let first = peer.next().await;
    sending.abort();
    let _ = sending.await;
    assert_eq!(session.window_in_use(), 1);
    peer.send(command::SUBMIT_SM_RESP, 0, first.sequence, b"1\0").await;
    until(|| session.window_in_use() == 0).await;
}

#[tokio::test]
async fn a_cut_connection_tells_unknown_from_not_sent() {
    let (session, mut peer) = scripted(|config| config.window = 1, Inbox::new()).await;
    let written = submit_in_task(&session);
    peer.next().await;
    let queued = submit_in_task(&session);
    tokio::task::yield_now().await;
    // Half an answer, and then nothing.
    peer.raw(&[0, 0, 0, 20, 0x80, 0, 0, 4, 0]).await;
    drop(peer);
    assert_eq!(written.await.unwrap(), Err(SubmitError::Unknown));
    assert_eq!(queued.await.unwrap(), Err(SubmitError::NotSent));
    assert_eq!(session.closed().await, Closed::Disconnected);
    assert_eq!(session.submit(submit("hi")).await, Err(SubmitError::NotSent));
}

#[tokio::test]
async fn answers_of_every_shape_are_understood() {
    let (session, mut peer) = scripted(|_| {}, Inbox::new()).await;
    for (id, status, body, answer) in [
        (command::SUBMIT_SM_RESP, 0, &b"abc\0"[..], Ok("abc".to_owned())),
        (command::SUBMIT_SM_RESP, 0, b"abc", Ok("abc".to_owned())),
        (command::SUBMIT_SM_RESP, 0, b"", Ok(String::new())),
        (
            command::SUBMIT_SM_RESP,
            0x58,
            b"",
            Err(SubmitError::Refused { status: 0x58, kind: Refusal::Throttled }),
        ),
        (
            command::SUBMIT_SM_RESP,
            8,
            b"abc\0",
            Err(SubmitError::Refused { status: 8, kind: Refusal::Transient }),
        ),
        (command::GENERIC_NACK, 3, b"", Err(SubmitError::Refused { status: 3, kind: Refusal::Permanent })),
    ] {
        let sending = submit_in_task(&session);
        let request = peer.next().await;
        peer.send(id, status, request.sequence, body).await;
        // The same answer again, and one to nothing, are harmless.
        peer.send(id, status, request.sequence, body).await;
        peer.send(id, status, 0x7000_0000, body).await;
        assert_eq!(sending.await.unwrap(), answer);
    }
}

#[tokio::test]
async fn a_late_answer_is_told_under_its_tag() {
    let inbox = Inbox::new();
    let (session, mut peer) = scripted(quick, inbox.clone()).await;
    assert_eq!(session.submit_tagged(submit("hi"), 42).await, Err(SubmitError::Unknown));
    let request = peer.next().await;
    peer.send(command::SUBMIT_SM_RESP, 0, request.sequence, b"late\0").await;
    until(|| !inbox.late.lock().unwrap().is_empty()).await;
    assert_eq!(*inbox.late.lock().unwrap(), [(42, Ok("late".to_owned()))]);
}

#[tokio::test]
async fn our_unbind_waits_for_the_answers_that_are_due() {
    let (session, mut peer) = scripted(|_| {}, Inbox::new()).await;
    let sending = submit_in_task(&session);
    let request = peer.next().await;
    let unbinding = tokio::spawn({
        let session = session.clone();
        async move { session.unbind().await }
    });
    until(|| session.window_in_use() > 0).await;
    peer.send(command::SUBMIT_SM_RESP, 0, request.sequence, b"1\0").await;
    let unbind = peer.next().await;
    assert_eq!(unbind.id, command::UNBIND);
    assert_eq!(sending.await.unwrap(), Ok("1".to_owned()));
    peer.send(command::UNBIND_RESP, 0, unbind.sequence, b"").await;
    unbinding.await.unwrap();
    assert_eq!(session.closed().await, Closed::Unbound);
    assert_eq!(session.submit(submit("hi")).await, Err(SubmitError::NotSent));
    assert!(peer.next_or_end().await.is_none());
}

#[tokio::test]
async fn an_unbind_by_the_centre_is_answered_after_the_window_has_drained() {
    let (session, mut peer) = scripted(|_| {}, Inbox::new()).await;
    let sending = submit_in_task(&session);
    let request = peer.next().await;
    peer.send(command::UNBIND, 0, 77, b"").await;
    peer.send(command::SUBMIT_SM_RESP, 0, request.sequence, b"1\0").await;
    let answer = peer.next().await;
    assert_eq!((answer.id, answer.sequence), (command::UNBIND_RESP, 77));
    assert_eq!(sending.await.unwrap(), Ok("1".to_owned()));
    drop(peer);
    assert_eq!(session.closed().await, Closed::UnboundByPeer);
}

#[tokio::test]
async fn dropping_the_last_clone_unbinds() {
    let (session, mut peer) = scripted(|_| {}, Inbox::new()).await;
    drop(session);
    assert_eq!(peer.next().await.id, command::UNBIND);
}

#[tokio::test]
async fn enquire_link_is_answered_and_asked_and_a_miss_ends_the_session() {
    let (session, mut peer) = scripted(
        |config| {
            quick(config);
            config.enquire_link = Duration::from_millis(20);
        },
        Inbox::new(),
    )
    .await;
    let ours = peer.next().await;
    assert_eq!(ours.id, command::ENQUIRE_LINK);
    peer.send(command::ENQUIRE_LINK_RESP, 0, ours.sequence, b"").await;
    peer.send(command::ENQUIRE_LINK, 0, 5, b"").await;
    let mut answered = false;
    // Nothing more is said to it, so it asks once more and then closes.
    while let Some(frame) = peer.next_or_end().await {
        answered |= (frame.id, frame.sequence) == (command::ENQUIRE_LINK_RESP, 5);
    }
    assert!(answered);
    assert_eq!(session.closed().await, Closed::Silent);
}

#[tokio::test]
async fn what_is_not_smpp_closes_the_session() {
    for garbage in [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], &[0, 0, 0, 4, 0, 0], &[0xFF; 64]] {
        let (session, mut peer) = scripted(|_| {}, Inbox::new()).await;
        peer.raw(garbage).await;
        assert!(matches!(session.closed().await, Closed::Malformed(_)), "{garbage:?}");
    }
}

#[tokio::test]
async fn an_unknown_command_is_nacked_and_the_session_lives() {
    let (session, mut peer) = scripted(|_| {}, Inbox::new()).await;
    peer.send(0x0000_0777, 0, 5, b"??").await;
    let nack = peer.next().await;
    assert_eq!((nack.id, nack.status, nack.sequence), (command::GENERIC_NACK, 3, 5));
    let sending = submit_in_task(&session);
    peer.accept("1").await;
    assert!(sending.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_malformed_delivery_costs_one_answer_and_keeps_its_octets() {
    let inbox = Inbox::new();
    let (session, mut peer) = scripted(|_| {}, inbox.clone()).await;
    for (sequence, body) in [
        (1, &b""[..]),
        (2, b"no zero"),
        (3, &deliver_body(0x40, 8, b"\x09\x00", b"")),
        (4, &deliver_body(0, 8, b"\x4e", b"")),
        (5, &deliver_body(0x04, 0, b"nothing of a receipt", b"")),
    ] {
        peer.send(command::DELIVER_SM, 0, sequence, body).await;
        assert_eq!(acknowledgement(&mut peer).await, (sequence, 0x65));
        let delivered = inbox.wait_for(usize::try_from(sequence).unwrap()).await;
        assert_eq!(delivered.last(), Some(&Delivered::Unreadable { raw: body.to_vec() }));
    }
    peer.send(command::DELIVER_SM, 0, 9, &deliver_body(0, 0, b"YES", b"")).await;
    assert_eq!(acknowledgement(&mut peer).await, (9, 0));
    drop(session);
}

#[tokio::test]
async fn acknowledgements_follow_what_the_inbox_says() {
    let inbox = Inbox::answering(&[DeliverAck::TryLater, DeliverAck::Refused, DeliverAck::Stored]);
    let (_session, mut peer) = scripted(|_| {}, inbox.clone()).await;
    for (sequence, status) in [(1, 0x64), (2, 0x65), (3, 0)] {
        peer.send(command::DELIVER_SM, 0, sequence, &deliver_body(0, 0, b"YES", b"")).await;
        assert_eq!(acknowledgement(&mut peer).await, (sequence, status));
    }
}

#[tokio::test]
async fn deliveries_run_side_by_side_up_to_a_limit_and_the_rest_waits() {
    let inbox = Inbox::gated();
    let (session, mut peer) = scripted(|_| {}, inbox.clone()).await;
    for sequence in 1..=300u32 {
        peer.send(command::DELIVER_SM, 0, sequence, &deliver_body(0, 0, b"YES", b"")).await;
    }
    // 32 run and 256 wait; the others are told to come again at once.
    for _ in 0..300 - 32 - 256 {
        assert_eq!(acknowledgement(&mut peer).await.1, 0x64);
    }
    let sending = submit_in_task(&session);
    peer.accept("1").await;
    assert!(sending.await.unwrap().is_ok(), "the session goes on while deliveries wait");
    inbox.gate.as_ref().unwrap().add_permits(300);
    for _ in 0..32 + 256 {
        assert_eq!(acknowledgement(&mut peer).await.1, 0);
    }
    assert_eq!(inbox.most.load(std::sync::atomic::Ordering::SeqCst), 32);
}

#[tokio::test]
async fn a_panic_in_the_inbox_costs_one_delivery() {
    struct Panics;
    impl smpp::Inbound for Panics {
        fn deliver(&self, _: Delivered) -> smpp::BoxFuture<'_, DeliverAck> {
            Box::pin(async { panic!("the store is gone") })
        }
    }
    let (_session, mut peer) = scripted(|_| {}, Arc::new(Panics)).await;
    peer.send(command::DELIVER_SM, 0, 1, &deliver_body(0, 0, b"YES", b"")).await;
    assert_eq!(acknowledgement(&mut peer).await, (1, 0x64));
}

#[tokio::test]
async fn inbound_texts_of_every_shape_are_read() {
    let inbox = Inbox::new();
    let (_session, mut peer) = scripted(|_| {}, inbox.clone()).await;
    let part = |reference, total, number| Some(Part { reference, total, number });
    let sar = b"\x02\x0c\x00\x02\x00\x09\x02\x0e\x00\x01\x03\x02\x0f\x00\x01\x02";
    for (count, (body, text, expected)) in [
        (deliver_body(0, 0, b"YES", b""), "YES", None),
        (deliver_body(0, 8, b"\x65\x6f\x59\x7d", b""), "敯好", None),
        (deliver_body(0, 8, b"\xfe\xff\xff\x11\xff\x12", b""), "１２", None),
        (deliver_body(0, 3, b"caf\xe9", b"\x99\x99\x00\x01x"), "café", None),
        (deliver_body(0, 0, b"", b"\x04\x24\x00\x03YES"), "YES", None),
        (deliver_body(0x40, 0, b"\x05\x00\x03\x07\x02\x01YES", b""), "YES", part(7, 2, 1)),
        (deliver_body(0x40, 0, b"\x06\x08\x04\x01\x07\x02\x02YES", b""), "YES", part(0x107, 2, 2)),
        (deliver_body(0, 0, b"YES", sar), "YES", part(9, 3, 2)),
    ]
    .into_iter()
    .enumerate()
    {
        peer.send(command::DELIVER_SM, 0, 1, &body).await;
        let delivered = inbox.wait_for(count + 1).await;
        let Some(Delivered::Text(read)) = delivered.last() else { panic!("{delivered:?}") };
        assert_eq!((read.body.text().as_deref(), read.part), (Some(text), expected));
    }
}

#[tokio::test]
async fn receipts_read_tlvs_before_text() {
    let inbox = Inbox::new();
    let (_session, mut peer) = scripted(|_| {}, inbox.clone()).await;
    let tlvs = b"\x00\x1e\x00\x04abc\x00\x04\x27\x00\x01\x05";
    for (count, (body, id, state)) in [
        (deliver_body(0x04, 0, b"id:xyz stat:DELIVRD", tlvs), "abc", ReceiptState::Undeliverable),
        (deliver_body(0x04, 0, b"", tlvs), "abc", ReceiptState::Undeliverable),
        (deliver_body(0, 0, b"", tlvs), "abc", ReceiptState::Undeliverable),
        (deliver_body(0x04, 0, b"id:xyz stat:DELIVRD err:000", b""), "xyz", ReceiptState::Delivered),
        (deliver_body(0x20, 0, b"id:xyz stat:ENROUTE", b""), "xyz", ReceiptState::Enroute),
    ]
    .into_iter()
    .enumerate()
    {
        peer.send(command::DELIVER_SM, 0, 1, &body).await;
        let delivered = inbox.wait_for(count + 1).await;
        let Some(Delivered::Receipt(receipt)) = delivered.last() else { panic!("{delivered:?}") };
        assert_eq!((receipt.message_id.as_str(), receipt.state), (id, state));
    }
}

#[tokio::test]
async fn a_centre_that_stops_reading_does_not_hold_up_the_answers() {
    let (session, mut peer) = scripted(quick, Inbox::new()).await;
    // It floods us with requests and never reads an answer; in the end the session gives it up.
    let flood = encode_frame(&frame(command::ENQUIRE_LINK, 0, 1, b"")).repeat(1_000);
    let (mut reading, mut writing) = peer.0.get_mut().split();
    let flooding = async { while writing.write_all(&flood).await.is_ok() {} };
    tokio::select! {
        () = flooding => {}
        reason = session.closed() => assert!(matches!(reason, Closed::Stalled | Closed::Disconnected)),
    }
    let _ = reading.read(&mut [0; 16]).await;
    assert!(matches!(session.closed().await, Closed::Stalled | Closed::Disconnected));
}

#[tokio::test]
async fn a_text_whose_time_to_leave_has_passed_never_leaves_and_says_so() {
    let (session, mut peer) = scripted(quick, Inbox::new()).await;
    let late = Submit { leave_by: Some(Instant::now()), ..submit("late") };
    let late = {
        let session = session.clone();
        tokio::spawn(async move { session.submit(late).await })
    };
    let in_time = Submit { leave_by: Some(Instant::now() + Duration::from_secs(60)), ..submit("in time") };
    let in_time = tokio::spawn(async move { session.submit(in_time).await });
    assert_eq!(late.await.unwrap(), Err(SubmitError::NotSent));
    assert_eq!(in_time.await.unwrap(), Err(SubmitError::Unknown));
    // What the peer has read is the other alone.
    let mut submits = 0;
    while let Ok(Some(frame)) = tokio::time::timeout(Duration::from_millis(200), peer.next_or_end()).await {
        submits += usize::from(frame.id == command::SUBMIT_SM);
        assert!(!frame.body.windows(4).any(|octets| octets == b"late"));
    }
    assert_eq!(submits, 1);
}
