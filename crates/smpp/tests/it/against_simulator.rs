//! Sessions against the simulated centre.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use smpp::simulator::{Faults, LongReply, MessageIds, Simulator, SourceForm};
use smpp::text::{Reassembler, decode};
use smpp::{
    BindError, Closed, DeliverAck, Delivered, InboundText, MessageIdForm, ReceiptState, Refusal, Session,
    SubmitError, fold_message_id,
};

use crate::fixtures::{Inbox, config, simulator, simulator_with, submit, submits, until};

const PHONE: &str = "+8613800138000";

async fn bind(simulator: &Simulator, inbox: &Arc<Inbox>) -> Session {
    Session::bind(config(simulator.smpp_addr().port()), inbox.clone()).await.unwrap()
}

fn text_of(delivered: &Delivered) -> &InboundText {
    match delivered {
        Delivered::Text(text) => text,
        other => panic!("not a text: {other:?}"),
    }
}

#[tokio::test]
async fn a_text_is_shown_and_its_receipt_comes() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    let session = bind(&simulator, &inbox).await;
    let id = session.submit(submit("Your code is 381724")).await.unwrap();
    let delivered = inbox.wait_for(1).await;
    let Delivered::Receipt(receipt) = &delivered[0] else { panic!("{delivered:?}") };
    let fold = |id| fold_message_id(id, MessageIdForm::Decimal);
    assert_eq!(fold(&receipt.message_id), fold(&id));
    assert_eq!(receipt.state, ReceiptState::Delivered);
    assert_eq!((receipt.source.digits.as_str(), receipt.error.as_deref()), ("8613800138000", None));
    let texts = simulator.texts("13800138000").await;
    assert_eq!(texts.len(), 1);
    assert_eq!((texts[0].from.as_str(), texts[0].text.as_str()), ("10690001", "Your code is 381724"));
    assert_eq!(texts[0].at, "2026-01-01T00:00:00Z");
    session.unbind().await;
    assert_eq!(session.closed().await, Closed::Unbound);
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let simulator = simulator().await;
    let mut config = config(simulator.smpp_addr().port());
    config.password = "wrong".to_owned();
    let refused = Session::bind(config, Inbox::new()).await;
    assert!(matches!(refused, Err(BindError::Refused { status: 0x0E })), "{refused:?}");
}

#[tokio::test]
async fn a_silent_centre_times_the_bind_out() {
    let simulator = simulator_with(|config| config.faults.bind_silent = true).await;
    let mut config = config(simulator.smpp_addr().port());
    config.bind_timeout = Duration::from_millis(50);
    assert!(matches!(Session::bind(config, Inbox::new()).await, Err(BindError::TimedOut)));
}

#[tokio::test]
async fn a_long_chinese_text_arrives_joined() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    let session = bind(&simulator, &inbox).await;
    let text = "您的订单已确认，感谢使用。😀".repeat(20);
    let parts = submits(PHONE, &text);
    assert!(parts.len() > 3);
    futures::future::try_join_all(parts.into_iter().rev().map(|part| session.submit(part))).await.unwrap();
    let texts = simulator.texts(PHONE).await;
    assert_eq!(texts.iter().map(|shown| shown.text.as_str()).collect::<Vec<_>>(), [text]);
}

#[tokio::test]
async fn a_reply_arrives_also_when_it_is_long() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    simulator.reply(PHONE, "10690001", "YES").await.unwrap();
    let session = bind(&simulator, &inbox).await;
    let delivered = inbox.wait_for(1).await;
    let text = text_of(&delivered[0]);
    assert_eq!(text.body.text().as_deref(), Some("YES"));
    assert_eq!((text.source.digits.as_str(), text.source.ton), ("8613800138000", 1));
    assert_eq!(text.destination.digits, "10690001");

    let long = "好".repeat(200);
    simulator.reply("13800138000", "10690001", &long).await.unwrap();
    let mut join = Reassembler::default();
    let mut joined = None;
    for part in inbox.wait_for(4).await.iter().skip(1).map(text_of) {
        let (from, to) = (&part.source.digits, &part.destination.digits);
        joined =
            join.accept(0, from, to, part.part.unwrap(), part.body.data_coding, &part.body.octets).or(joined);
    }
    let joined = joined.unwrap();
    assert_eq!(decode(joined.data_coding, &joined.octets).unwrap(), long);
    until(|| simulator.deliveries_open() == 0).await;
    drop(session);
}

#[tokio::test]
async fn try_later_brings_the_delivery_again_and_stored_ends_it() {
    let simulator = simulator().await;
    let inbox = Inbox::answering(&[DeliverAck::TryLater, DeliverAck::TryLater]);
    let _session = bind(&simulator, &inbox).await;
    simulator.reply(PHONE, "10690001", "YES").await.unwrap();
    inbox.wait_for(3).await;
    until(|| simulator.deliveries_open() == 0).await;
    assert_eq!(inbox.delivered.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_over_the_next_session() {
    let simulator = simulator().await;
    let stuck = Inbox::gated();
    let session = bind(&simulator, &stuck).await;
    simulator.reply(PHONE, "10690001", "YES").await.unwrap();
    until(|| stuck.running.load(Ordering::SeqCst) == 1).await;
    simulator.disconnect();
    assert_eq!(session.closed().await, Closed::Disconnected);
    let inbox = Inbox::new();
    let _session = bind(&simulator, &inbox).await;
    assert_eq!(text_of(&inbox.wait_for(1).await[0]).body.text().as_deref(), Some("YES"));
}

#[tokio::test]
async fn a_delivery_is_acknowledged_only_after_it_was_stored() {
    let (simulator, inbox) = (simulator().await, Inbox::gated());
    let session = bind(&simulator, &inbox).await;
    simulator.reply(PHONE, "10690001", "YES").await.unwrap();
    until(|| inbox.running.load(Ordering::SeqCst) == 1).await;
    // The session lives on meanwhile: a submit goes through.
    session.submit(submit("hi")).await.unwrap();
    assert!(simulator.deliveries_open() > 0);
    inbox.gate.as_ref().unwrap().add_permits(10);
    until(|| simulator.deliveries_open() == 0).await;
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    let session = bind(&simulator, &inbox).await;
    for (faults, status, kind) in [
        (Faults { throttle_every: 1, ..Faults::default() }, 0x58, Refusal::Throttled),
        (Faults { queue_full_every: 1, ..Faults::default() }, 0x14, Refusal::QueueFull),
        (Faults { refuse_every: 1, ..Faults::default() }, 0x0B, Refusal::Permanent),
    ] {
        simulator.set_faults(faults);
        assert_eq!(session.submit(submit("hi")).await, Err(SubmitError::Refused { status, kind }));
    }
    assert_eq!(simulator.texts(PHONE).await, []);
}

#[tokio::test]
async fn a_connection_cut_instead_of_the_answer_makes_the_text_unknown() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    simulator.set_faults(Faults { drop_every: 1, ..Faults::default() });
    let session = bind(&simulator, &inbox).await;
    assert_eq!(session.submit(submit("hi")).await, Err(SubmitError::Unknown));
    assert_eq!(session.closed().await, Closed::Disconnected);
    assert_eq!(session.submit(submit("hi")).await, Err(SubmitError::NotSent));
    assert_eq!(simulator.texts(PHONE).await.len(), 1);
}

#[tokio::test]
async fn a_connection_cut_after_the_answer_leaves_the_answer() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    simulator.set_faults(Faults { close_after_answer_every: 1, ..Faults::default() });
    let session = bind(&simulator, &inbox).await;
    assert!(session.submit(submit("hi")).await.is_ok());
    assert_eq!(session.closed().await, Closed::Disconnected);
}

#[tokio::test]
async fn an_answer_that_never_comes_frees_the_slot_at_the_time_limit() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    simulator.set_faults(Faults { no_answer_every: 1, receipts_off: true, ..Faults::default() });
    let mut config = config(simulator.smpp_addr().port());
    (config.window, config.response_timeout) = (1, Duration::from_millis(50));
    let session = Session::bind(config, inbox).await.unwrap();
    assert_eq!(session.submit(submit("hi")).await, Err(SubmitError::Unknown));
    assert_eq!(session.window_in_use(), 0);
    simulator.set_faults(Faults::default());
    assert!(session.submit(submit("hi")).await.is_ok());
}

#[tokio::test]
async fn receipts_come_twice_first_or_never_as_the_faults_say() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    let session = bind(&simulator, &inbox).await;
    simulator.set_faults(Faults { duplicate_deliveries: true, receipt_first: true, ..Faults::default() });
    session.submit(submit("hi")).await.unwrap();
    inbox.wait_for(2).await;
    simulator.set_faults(Faults { receipts_off: true, ..Faults::default() });
    session.submit(submit("hi")).await.unwrap();
    until(|| simulator.deliveries_open() == 0).await;
    assert_eq!(inbox.delivered.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn many_texts_pass_through_a_window() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    let session = bind(&simulator, &inbox).await;
    let sending =
        (0..500).map(|index| session.submit(submits("+8613900139000", &format!("text {index}")).remove(0)));
    let ids = futures::future::try_join_all(sending).await.unwrap();
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 500);
    inbox.wait_for(500).await;
    assert!(inbox.most.load(Ordering::SeqCst) <= 32);
    assert_eq!(simulator.texts("+8613900139000").await.len(), 500);
    session.unbind().await;
}

#[tokio::test]
async fn an_unbind_mid_window_loses_no_answer() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    simulator.set_faults(Faults { unbind_every: 5, receipts_off: true, ..Faults::default() });
    let session = bind(&simulator, &inbox).await;
    let sent = futures::future::join_all((0..20).map(|_| session.submit(submit("hi")))).await;
    assert_eq!(session.closed().await, Closed::UnboundByPeer);
    let shown = simulator.texts(PHONE).await.len();
    // What was answered was shown, and what never left was not.
    assert_eq!(sent.iter().filter(|answer| answer.is_ok()).count(), shown);
    assert_eq!(sent.iter().filter(|answer| **answer == Err(SubmitError::NotSent)).count(), 20 - shown);
}

#[tokio::test]
async fn answers_slow_and_reversed_find_their_submits() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    simulator.set_faults(Faults { answer_delay_ms: 20, answers_reversed: true, ..Faults::default() });
    let session = bind(&simulator, &inbox).await;
    let sending = (0..10).map(|index| session.submit(submit(&format!("text {index}"))));
    let ids = futures::future::try_join_all(sending).await.unwrap();
    let mut sorted = ids.clone();
    sorted.sort();
    assert_eq!(ids, sorted, "the first submit got the first id");
}

#[tokio::test]
async fn hexadecimal_answers_meet_decimal_receipts() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    let faults = Faults {
        message_ids: MessageIds::HexAnswers,
        receipt_without_tlvs: true,
        undeliverable_every: 12,
        ..Faults::default()
    };
    simulator.set_faults(faults);
    let session = bind(&simulator, &inbox).await;
    let mut last = String::new();
    for _ in 0..12 {
        last = session.submit(submit("hi")).await.unwrap();
    }
    assert_eq!(last, "c");
    let delivered = inbox.wait_for(12).await;
    let found = delivered.iter().any(|delivered| {
        let Delivered::Receipt(receipt) = delivered else { panic!("{delivered:?}") };
        fold_message_id(&receipt.message_id, MessageIdForm::Decimal)
            == fold_message_id(&last, MessageIdForm::Hex)
            && (receipt.state, receipt.error.as_deref()) == (ReceiptState::Undeliverable, Some("001"))
    });
    assert!(found);
    assert_eq!(simulator.texts(PHONE).await.len(), 11);
}

#[tokio::test]
async fn odd_answers_are_understood() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    let session = bind(&simulator, &inbox).await;
    simulator.set_faults(Faults { answer_without_body: true, ..Faults::default() });
    assert_eq!(session.submit(submit("hi")).await, Ok(String::new()));
    simulator.set_faults(Faults { nack_every: 1, ..Faults::default() });
    let nacked = SubmitError::Refused { status: 8, kind: Refusal::Transient };
    assert_eq!(session.submit(submit("hi")).await, Err(nacked));
}

#[tokio::test]
async fn a_silent_centre_is_noticed() {
    let simulator = simulator().await;
    let mut config = config(simulator.smpp_addr().port());
    (config.enquire_link, config.response_timeout) = (Duration::from_millis(20), Duration::from_millis(50));
    let session = Session::bind(config, Inbox::new()).await.unwrap();
    simulator.set_faults(Faults { silent: true, ..Faults::default() });
    assert_eq!(session.submit(submit("hi")).await, Err(SubmitError::Unknown));
    assert_eq!(session.closed().await, Closed::Silent);
}

#[tokio::test]
async fn long_replies_come_in_every_marking_and_numbers_in_every_form() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    let _session = bind(&simulator, &inbox).await;
    let long = "好".repeat(150);
    let mut seen = 0;
    for (long_reply, source_form, parts, digits) in [
        (LongReply::Header8, SourceForm::International, 3, "8613800138000"),
        (LongReply::Header16, SourceForm::Plus, 3, "+8613800138000"),
        (LongReply::Sar, SourceForm::DoubleZero, 3, "008613800138000"),
        (LongReply::Payload, SourceForm::National, 1, "13800138000"),
    ] {
        simulator.set_faults(Faults { long_reply, source_form, ..Faults::default() });
        simulator.reply(PHONE, "10690001", &long).await.unwrap();
        let delivered = inbox.wait_for(seen + parts).await;
        let mut join = Reassembler::default();
        let mut whole = None;
        for part in delivered[seen..].iter().map(text_of) {
            assert_eq!(part.source.digits, digits);
            whole = match part.part {
                None => part.body.text(),
                Some(number) => join
                    .accept(0, digits, "10690001", number, part.body.data_coding, &part.body.octets)
                    .and_then(|joined| decode(joined.data_coding, &joined.octets))
                    .or(whole),
            };
        }
        assert_eq!(whole.as_deref(), Some(long.as_str()));
        seen += parts;
    }
}
