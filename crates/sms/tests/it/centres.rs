//! Several centres, several binds, and several processes.

use std::time::Duration;

use smpp::simulator::Faults;
use sms::{BindConfig, BindKind, CentreConfig, SmsConfig};
use store::texts::{TextPurpose, TextState};

use crate::bench::{Bench, PHONE, Running, SENDER, centre, free_address, screen, soon};

#[tokio::test(flavor = "multi_thread")]
async fn a_transmitter_and_a_receiver_do_what_a_transceiver_does() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start_with(&bench, centre.smpp_addr(), |config| {
        config.binds = vec![BindKind::Transmitter, BindKind::Receiver];
    });
    let id = bench.queue(TextPurpose::Confirmation, "reply 4827").await;
    bench.comes_to(id, TextState::Delivered).await;
    centre.reply(PHONE, "1069000142", "4827").await.unwrap();
    bench.until(async || centre.deliveries_open() == 0).await;
    assert_eq!(bench.replies().await.len(), 1);
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_alone_sends_nothing_and_says_so() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start_with(&bench, centre.smpp_addr(), |config| {
        config.binds = vec![BindKind::Receiver];
    });
    let id = bench.queue(TextPurpose::Confirmation, "reply 4827").await;
    centre.reply(PHONE, "10690001", "4827").await.unwrap();
    bench.until(async || centre.deliveries_open() == 0).await;
    assert_eq!(bench.state(id).await, TextState::Queued);
    assert!(!running.link.is_bound());
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_binds_to_two_centres_send_every_text_once() {
    let (bench, first, second) =
        (Bench::new(), centre(Faults::default()).await, centre(Faults::default()).await);
    let centre_at = |port| {
        let mut centre = CentreConfig::from(BindConfig::new("127.0.0.1", port, "test", "test"));
        centre.binds = vec![BindKind::Transceiver, BindKind::Transceiver];
        (centre.bind.window, centre.bind.rate_per_s) = (2, 20);
        centre
    };
    let mut config = SmsConfig::new("127.0.0.1", 1, "test", "test", SENDER);
    config.centres = vec![centre_at(first.smpp_addr().port()), centre_at(second.smpp_addr().port())];
    let texts = bench.queue_mixed(60).await;
    let running = Running::with(&bench, config);
    for (id, ..) in &texts {
        bench.comes_to(*id, TextState::Delivered).await;
    }
    let (one, other) = (screen(&first).await, screen(&second).await);
    assert!(!one.is_empty() && !other.is_empty(), "both centres have their part");
    assert_eq!(one.len() + other.len(), texts.len());
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_that_is_away_leaves_the_texts_to_the_other() {
    let (bench, there, away) = (Bench::new(), centre(Faults::default()).await, free_address().await);
    let mut config = SmsConfig::new("127.0.0.1", away.port(), "test", "test", SENDER);
    config.centres.push(BindConfig::new("127.0.0.1", there.smpp_addr().port(), "test", "test").into());
    let running = Running::with(&bench, config);
    let id = bench.queue(TextPurpose::SignIn, "123456").await;
    bench.comes_to(id, TextState::Delivered).await;
    assert!(running.link.is_bound());
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_makes_no_third_sending() {
    let faults = Faults { no_answer_every: 1, receipts_off: true, ..Faults::default() };
    let (bench, centre) = (Bench::new(), centre(faults).await);
    let id = bench.queue(TextPurpose::Confirmation, "reply 4827").await;
    let waits = |seconds| {
        move |config: &mut CentreConfig| config.bind.response_timeout = Duration::from_secs(seconds)
    };
    // The first has sent it and waits for the answer; the second takes it for lost and sends it again.
    let first = Running::start_with(&bench, centre.smpp_addr(), waits(2));
    bench.until(async || screen(&centre).await.len() == 1).await;
    let second = Running::start_with(&bench, centre.smpp_addr(), waits(4));
    bench.until(async || screen(&centre).await.len() == 2).await;
    // Then the first hears of nobody, while the second's sending is under way.
    bench.comes_to(id, TextState::Unknown).await;
    bench.pass_s(40).await;
    assert_eq!(screen(&centre).await.len(), 2);
    soon(first.stop()).await;
    soon(second.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_many_deaths_at_any_moment_a_confirmation_is_shown_twice_at_most() {
    let faults = Faults { answer_delay_ms: 40, drop_every: 9, throttle_every: 5, ..Faults::default() };
    let (bench, centre) = (Bench::new(), centre(faults).await);
    let texts = bench.queue_mixed(20).await;
    for death in 0..12u64 {
        let running = Running::start(&bench, centre.smpp_addr());
        // Not a wait for anything: a death comes when it comes, a little later each time.
        tokio::time::sleep(Duration::from_millis(20 + 13 * death)).await;
        running.kill().await;
        bench.pass_s(16).await;
    }
    centre.set_faults(Faults::default());
    let running = Running::start(&bench, centre.smpp_addr());
    for (id, ..) in &texts {
        bench.until(async || bench.state(*id).await.is_settled()).await;
    }
    bench.pass_s(40).await;
    let shown = screen(&centre).await;
    for (_, purpose, body) in &texts {
        let count = shown.iter().filter(|text| *text == body).count();
        assert!(
            count <= if *purpose == TextPurpose::SignIn { 1 } else { 2 },
            "{body} was shown {count} times"
        );
    }
    soon(running.stop()).await;
}
