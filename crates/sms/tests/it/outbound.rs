//! Texts on their way out.

use std::time::Duration;

use smpp::simulator::{Faults, MessageIds};
use sms::MessageIdForm;
use store::texts::{TextPurpose, TextState};

use crate::bench::{Bench, Running, centre, centre_at, free_address, screen, soon};

fn told(reference: &str, states: &[&str]) -> Vec<(String, String)> {
    states.iter().map(|state| (reference.to_owned(), (*state).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_text_reaches_the_phone_and_its_receipt_settles_it() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start(&bench, centre.smpp_addr());
    let id = bench.queue(TextPurpose::Confirmation, "回复4827确认").await;
    bench.comes_to(id, TextState::Delivered).await;
    let shown = centre.texts(crate::bench::PHONE).await;
    assert_eq!((shown[0].text.as_str(), shown[0].from.as_str()), ("回复4827确认", "1069000142"));
    assert_eq!(shown.len(), 1);
    assert_eq!(bench.told().await, told("回复4827确认", &["accepted", "delivered"]));
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_chinese_text_arrives_joined_and_every_receipt_counts() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start(&bench, centre.smpp_addr());
    let body = "胡同".repeat(120);
    let id = bench.queue(TextPurpose::Notice, &body).await;
    bench.comes_to(id, TextState::Delivered).await;
    assert_eq!(screen(&centre).await, [body]);
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_throttled_between_its_parts_goes_on_where_it_stopped() {
    let (bench, centre) = (Bench::new(), centre(Faults { throttle_every: 2, ..Faults::default() }).await);
    let running = Running::start(&bench, centre.smpp_addr());
    let body = "胡同".repeat(120);
    let id = bench.queue(TextPurpose::SignIn, &body).await;
    bench.comes_to(id, TextState::Delivered).await;
    assert_eq!(screen(&centre).await, [body]);
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_queued_while_the_centre_is_away_goes_out_when_it_comes() {
    let (bench, address) = (Bench::new(), free_address().await);
    let running = Running::start(&bench, address);
    let id = bench.queue(TextPurpose::Notice, "hello").await;
    bench.pass_s(10).await;
    assert_eq!(bench.state(id).await, TextState::Queued);
    assert!(!running.link.is_bound());
    let centre = centre_at(address, Faults::default()).await;
    bench.comes_to(id, TextState::Delivered).await;
    assert_eq!(screen(&centre).await, ["hello"]);
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_texts_are_queued_again_and_all_arrive() {
    let faults = Faults { throttle_every: 3, queue_full_every: 4, ..Faults::default() };
    let (bench, centre) = (Bench::new(), centre(faults).await);
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(bench.queue(TextPurpose::SignIn, &format!("code {n}")).await);
    }
    let running = Running::start(&bench, centre.smpp_addr());
    for id in ids {
        bench.comes_to(id, TextState::Delivered).await;
    }
    let mut shown = screen(&centre).await;
    shown.sort_unstable();
    shown.dedup();
    assert_eq!((shown.len(), screen(&centre).await.len()), (20, 20));
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_text_is_rejected_and_its_reference_hears_of_it() {
    let (bench, centre) = (Bench::new(), centre(Faults { refuse_every: 1, ..Faults::default() }).await);
    let running = Running::start(&bench, centre.smpp_addr());
    let id = bench.queue(TextPurpose::Confirmation, "4827").await;
    bench.comes_to(id, TextState::Rejected).await;
    assert_eq!(bench.told().await, told("4827", &["rejected"]));
    assert!(screen(&centre).await.is_empty());
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undeliverable_text_is_told_as_undelivered() {
    let (bench, centre) =
        (Bench::new(), centre(Faults { undeliverable_every: 1, ..Faults::default() }).await);
    let running = Running::start(&bench, centre.smpp_addr());
    let id = bench.queue(TextPurpose::Confirmation, "4827").await;
    bench.comes_to(id, TextState::Undelivered).await;
    assert_eq!(bench.told().await, told("4827", &["accepted", "undelivered"]));
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_text_is_never_sent() {
    let (bench, address) = (Bench::new(), free_address().await);
    let running = Running::start(&bench, address);
    let id = bench.queue_until(TextPurpose::Confirmation, "4827", 60).await;
    bench.comes_to(id, TextState::Expired).await;
    assert_eq!(bench.told().await, told("4827", &["expired"]));
    let centre = centre_at(address, Faults::default()).await;
    let later = bench.queue(TextPurpose::Notice, "later").await;
    bench.comes_to(later, TextState::Delivered).await;
    assert_eq!(screen(&centre).await, ["later"]);
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_comes_before_the_answer_settles_its_text() {
    let faults = Faults { receipt_first: true, message_ids: MessageIds::HexAnswers, ..Faults::default() };
    let (bench, centre) = (Bench::new(), centre(faults).await);
    let running = Running::start_with(&bench, centre.smpp_addr(), |config| {
        config.answer_ids = MessageIdForm::Hex;
        config.receipt_ids = MessageIdForm::Decimal;
    });
    for n in 0..12 {
        let id = bench.queue(TextPurpose::Notice, &n.to_string()).await;
        bench.comes_to(id, TextState::Delivered).await;
    }
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unanswered_confirmation_is_sent_twice_with_the_same_words_and_then_unknown() {
    let (bench, centre) = (Bench::new(), centre(Faults { no_answer_every: 1, ..Faults::default() }).await);
    let running = Running::start_with(&bench, centre.smpp_addr(), |config| {
        config.bind.response_timeout = Duration::from_millis(300);
    });
    let confirmation = bench.queue(TextPurpose::Confirmation, "reply 4827").await;
    bench.comes_to(confirmation, TextState::Unknown).await;
    assert_eq!(bench.told().await, told("reply 4827", &["unknown"]));
    let code = bench.queue(TextPurpose::SignIn, "code 123456").await;
    bench.comes_to(code, TextState::Unknown).await;
    bench.pass_s(60).await;
    assert_eq!(screen(&centre).await, ["reply 4827", "reply 4827", "code 123456"]);
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_late_is_believed() {
    let (bench, centre) =
        (Bench::new(), centre(Faults { answer_delay_ms: 1_000, ..Faults::default() }).await);
    let running = Running::start_with(&bench, centre.smpp_addr(), |config| {
        config.bind.response_timeout = Duration::from_millis(200);
    });
    let id = bench.queue(TextPurpose::SignIn, "123456").await;
    bench.comes_to(id, TextState::Delivered).await;
    assert!(bench.told().await.ends_with(&told("123456", &["accepted", "delivered"])));
    assert_eq!(screen(&centre).await, ["123456"]);
    soon(running.stop()).await;
}
