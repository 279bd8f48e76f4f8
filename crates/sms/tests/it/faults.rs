//! Every fault of a centre, one test each, named for the fault: whatever it does, each text comes to its end, a
//! sign-in code is shown once at most and a confirmation twice, what was accepted was shown, and the link goes on.

use std::time::Duration;

use smpp::simulator::{Faults, Garbage, MessageIds, RECEIPT_LAYOUTS, ReplyUcs2, Simulator};
use sms::{CentreConfig, MessageIdForm};
use store::texts::{TextPurpose, TextState};

use crate::bench::{Bench, PHONE, Running, centre, screen, soon};

/// Texts a test sends: more than a window.
const TEXTS: usize = 12;

fn impatient(config: &mut CentreConfig) {
    config.bind.response_timeout = Duration::from_millis(400);
    config.bind.enquire_link = Duration::from_millis(400);
}

/// Sends texts through a centre with faults and says where they came to stand.
async fn survive(
    bench: &Bench,
    centre: &Simulator,
    change: impl FnOnce(&mut CentreConfig),
) -> Vec<TextState> {
    let texts = bench.queue_mixed(TEXTS).await;
    let running = Running::start_with(bench, centre.smpp_addr(), change);
    let mut states = Vec::new();
    for (id, ..) in &texts {
        bench.until(async || bench.state(*id).await.is_settled()).await;
    }
    let shown = screen(centre).await;
    for (id, purpose, body) in &texts {
        let state = bench.state(*id).await;
        let count = shown.iter().filter(|text| *text == body).count();
        let most = if *purpose == TextPurpose::SignIn { 1 } else { 2 };
        assert!(count <= most, "{body} was shown {count} times");
        match state {
            TextState::Accepted | TextState::Delivered => assert!(count >= 1, "{body} is lost"),
            TextState::Rejected | TextState::Undelivered => assert_eq!(count, 0, "{body}"),
            TextState::Unknown => {}
            other => panic!("{body} is {other:?}"),
        }
        states.push(state);
    }
    // The link lives on.
    centre.set_faults(Faults::default());
    let id = bench.queue(TextPurpose::Notice, "afterwards").await;
    bench.comes_to(id, TextState::Delivered).await;
    soon(running.stop()).await;
    states
}

fn is_taken(state: &TextState) -> bool {
    matches!(state, TextState::Accepted | TextState::Delivered)
}

/// Nothing but a delay: every text is taken in the end.
macro_rules! all_arrive {
    ($($name:ident: $faults:expr;)*) => { $(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let (bench, centre) = (Bench::new(), centre($faults).await);
            let states = survive(&bench, &centre, |_| {}).await;
            assert!(states.iter().all(is_taken), "{states:?}");
        }
    )* };
}

all_arrive! {
    throttled_by_rate: Faults { throttle_over_per_s: 5, ..Faults::default() };
    throttled_by_count: Faults { throttle_every: 3, ..Faults::default() };
    queue_full: Faults { queue_full_every: 3, ..Faults::default() };
    system_error: Faults { system_error_every: 3, ..Faults::default() };
    slow_answers: Faults { answer_delay_ms: 150, ..Faults::default() };
    reversed_answers: Faults { answer_delay_ms: 50, answers_reversed: true, ..Faults::default() };
    shuffled_answers: Faults { answer_delay_ms: 50, answers_shuffled: true, ..Faults::default() };
    duplicated_answers: Faults { answers_duplicated: true, ..Faults::default() };
    stray_answers: Faults { answers_stray: true, ..Faults::default() };
    generic_nack: Faults { nack_every: 3, ..Faults::default() };
    a_good_answer_without_a_body: Faults { answer_without_body: true, ..Faults::default() };
    an_error_answer_with_a_body: Faults { throttle_every: 3, refusals_with_body: true, ..Faults::default() };
    unknown_tlvs: Faults { unknown_tlvs: true, ..Faults::default() };
    unbind_mid_window: Faults { unbind_every: 5, ..Faults::default() };
    back_pressure: Faults { deaf_ms: 30, ..Faults::default() };
    bind_late: Faults { bind_delay_ms: 1_200, ..Faults::default() };
}

/// The answer to some texts is lost: they end as unknown, or are sent again where that is allowed.
macro_rules! some_are_unknown {
    ($($name:ident: $faults:expr;)*) => { $(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let (bench, centre) = (Bench::new(), centre($faults).await);
            let states = survive(&bench, &centre, impatient).await;
            assert!(states.iter().all(|state| is_taken(state) || *state == TextState::Unknown), "{states:?}");
            assert!(states.iter().any(is_taken), "{states:?}");
        }
    )* };
}

some_are_unknown! {
    no_answer: Faults { no_answer_every: 3, ..Faults::default() };
    // The answer is there, and those to the rest of the window are not.
    close_just_after_the_answer: Faults { close_after_answer_every: 5, ..Faults::default() };
    reset_mid_window: Faults { reset_every: 7, ..Faults::default() };
    close_mid_window: Faults { drop_every: 7, ..Faults::default() };
    half_a_pdu_mid_window: Faults { half_answer_every: 7, ..Faults::default() };
    an_oversized_pdu: garbage(Garbage::Oversized);
    a_short_pdu: garbage(Garbage::Short);
    random_octets: garbage(Garbage::Random);
    a_truncated_pdu: garbage(Garbage::Truncated);
    http_on_the_port: garbage(Garbage::Http);
}

fn garbage(garbage: Garbage) -> Faults {
    Faults { garbage_every: 7, garbage, ..Faults::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn permanent_refusal() {
    let (bench, centre) = (Bench::new(), centre(Faults { refuse_every: 3, ..Faults::default() }).await);
    let states = survive(&bench, &centre, |_| {}).await;
    let rejected = states.iter().filter(|state| **state == TextState::Rejected).count();
    assert_eq!((rejected, states.iter().filter(|state| is_taken(state)).count()), (4, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn undeliverable() {
    let (bench, centre) =
        (Bench::new(), centre(Faults { undeliverable_every: 3, ..Faults::default() }).await);
    let running = Running::start(&bench, centre.smpp_addr());
    let texts = bench.queue_mixed(6).await;
    let count = async |state| {
        let mut count = 0;
        for (id, ..) in &texts {
            count += usize::from(bench.state(*id).await == state);
        }
        count
    };
    bench
        .until(async || count(TextState::Undelivered).await == 2 && count(TextState::Delivered).await == 4)
        .await;
    soon(running.stop()).await;
}

/// Every text is delivered: its receipt is found.
async fn all_are_delivered(faults: Faults, change: impl FnOnce(&mut CentreConfig)) {
    let (bench, centre) = (Bench::new(), centre(faults).await);
    let running = Running::start_with(&bench, centre.smpp_addr(), change);
    for (id, ..) in bench.queue_mixed(TEXTS).await {
        bench.comes_to(id, TextState::Delivered).await;
    }
    bench.until(async || centre.deliveries_open() == 0).await;
    // Whatever came afterwards, the final state stays.
    let told = bench.told().await;
    assert_eq!(told.iter().filter(|(_, state)| state == "delivered").count(), TEXTS);
    assert!(told.iter().all(|(_, state)| state == "accepted" || state == "delivered"), "{told:?}");
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_padded_with_zeros() {
    all_are_delivered(Faults::default(), |_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_hexadecimal_in_answers() {
    let faults = Faults { message_ids: MessageIds::HexAnswers, ..Faults::default() };
    all_are_delivered(faults, |config| {
        (config.answer_ids, config.receipt_ids) = (MessageIdForm::Hex, MessageIdForm::Decimal);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_hexadecimal_in_receipts() {
    let faults = Faults { message_ids: MessageIds::HexReceipts, ..Faults::default() };
    all_are_delivered(faults, |config| {
        (config.answer_ids, config.receipt_ids) = (MessageIdForm::Decimal, MessageIdForm::Hex);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_in_another_case_after_zeros() {
    all_are_delivered(Faults { message_ids: MessageIds::MixedCase, ..Faults::default() }, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_uuids() {
    all_are_delivered(Faults { message_ids: MessageIds::Uuid, ..Faults::default() }, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_before_answers() {
    all_are_delivered(Faults { receipt_first: true, ..Faults::default() }, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_tripled() {
    all_are_delivered(Faults { receipt_copies: 2, ..Faults::default() }, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_not_final_after_final() {
    all_are_delivered(Faults { receipt_enroute_after: true, ..Faults::default() }, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_in_ten_layouts() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start(&bench, centre.smpp_addr());
    for receipt_layout in 0..RECEIPT_LAYOUTS.len() {
        for (undeliverable_every, end) in [(0, TextState::Delivered), (1, TextState::Undelivered)] {
            let faults = Faults {
                receipt_layout,
                undeliverable_every,
                receipt_without_tlvs: true,
                ..Faults::default()
            };
            centre.set_faults(faults);
            let id = bench.queue(TextPurpose::Notice, &receipt_layout.to_string()).await;
            bench.comes_to(id, end).await;
        }
    }
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_in_ucs2_full_width_and_after_byte_order_marks() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start(&bench, centre.smpp_addr());
    for (n, reply_ucs2) in
        [ReplyUcs2::Fitting, ReplyUcs2::Always, ReplyUcs2::BigEndianMark, ReplyUcs2::LittleEndianMark]
            .into_iter()
            .enumerate()
    {
        centre.set_faults(Faults { reply_ucs2, ..Faults::default() });
        for text in [format!("482{n}"), format!("４８２{n}")] {
            centre.reply(PHONE, "10690001", &text).await.unwrap();
            bench.until(async || centre.deliveries_open() == 0).await;
            assert_eq!(
                bench.replies().await.iter().map(|reply| reply.body.clone()).collect::<Vec<_>>(),
                [text]
            );
        }
    }
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bind_refused_for_a_while() {
    let (bench, centre) = (Bench::new(), centre(Faults { bind_status: 0x08, ..Faults::default() }).await);
    let running = Running::start(&bench, centre.smpp_addr());
    let id = bench.queue(TextPurpose::SignIn, "123456").await;
    bench.pass_s(10).await;
    assert!(!running.link.is_bound() && !running.link.sends_within(Duration::from_secs(300)));
    centre.set_faults(Faults::default());
    bench.comes_to(id, TextState::Delivered).await;
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bind_silent() {
    let (bench, centre) = (Bench::new(), centre(Faults { bind_silent: true, ..Faults::default() }).await);
    let running = Running::start(&bench, centre.smpp_addr());
    let id = bench.queue(TextPurpose::SignIn, "123456").await;
    bench.pass_s(10).await;
    assert_eq!(bench.state(id).await, TextState::Queued);
    centre.set_faults(Faults::default());
    bench.comes_to(id, TextState::Delivered).await;
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bind_answered_in_one_piece_with_the_first_delivery() {
    let (bench, centre) =
        (Bench::new(), centre(Faults { bind_with_delivery: true, ..Faults::default() }).await);
    centre.reply(PHONE, "1069000142", "4827").await.unwrap();
    let running = Running::start(&bench, centre.smpp_addr());
    bench.until(async || centre.deliveries_open() == 0).await;
    assert_eq!(bench.replies().await.len(), 1);
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_gone_silent() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start_with(&bench, centre.smpp_addr(), impatient);
    soon(running.link.bound()).await;
    centre.set_faults(Faults { silent: true, ..Faults::default() });
    bench.until(async || !running.link.is_bound()).await;
    centre.set_faults(Faults::default());
    let id = bench.queue(TextPurpose::SignIn, "123456").await;
    bench.comes_to(id, TextState::Delivered).await;
    soon(running.stop()).await;
}
