//! The bind and what it says of itself.

use smpp::simulator::Faults;
use sms::LinkStatus;
use store::texts::{TextPurpose, TextState};

use crate::bench::{Bench, Running, centre, screen, soon};

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_is_made_anew() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start(&bench, centre.smpp_addr());
    soon(running.link.bound()).await;
    centre.disconnect();
    bench.until(async || !running.link.is_bound()).await;
    let id = bench.queue(TextPurpose::SignIn, "123456").await;
    bench.comes_to(id, TextState::Delivered).await;
    assert_eq!(screen(&centre).await, ["123456"]);
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_text_comes_to_an_end_on_a_centre_that_cuts_and_unbinds_in_the_middle() {
    let faults = Faults { drop_every: 7, unbind_every: 11, close_after_answer_every: 5, ..Faults::default() };
    let (bench, centre) = (Bench::new(), centre(faults).await);
    let running = Running::start(&bench, centre.smpp_addr());
    let mut ids = Vec::new();
    for n in 0..12 {
        ids.push(bench.queue(TextPurpose::SignIn, &format!("code {n}")).await);
    }
    let settled = |state| matches!(state, TextState::Accepted | TextState::Delivered | TextState::Unknown);
    for id in ids {
        bench.until(async || settled(bench.state(id).await)).await;
    }
    let mut shown = screen(&centre).await;
    let all = shown.len();
    shown.sort_unstable();
    shown.dedup();
    assert_eq!(shown.len(), all, "no sign-in code is shown twice");
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_wrong_password_texts_wait() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running =
        Running::start_with(&bench, centre.smpp_addr(), |config| config.bind.password = "wrong".to_owned());
    let since = bench.world.now();
    let id = bench.queue(TextPurpose::Notice, "hello").await;
    bench.pass_s(20).await;
    assert_eq!(running.link.status(), LinkStatus::NotBound { since });
    assert_eq!(bench.state(id).await, TextState::Queued);
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_waits_for_the_answers_that_are_due() {
    let (bench, centre) = (Bench::new(), centre(Faults { answer_delay_ms: 500, ..Faults::default() }).await);
    let running = Running::start(&bench, centre.smpp_addr());
    let id = bench.queue(TextPurpose::SignIn, "123456").await;
    bench.until(async || screen(&centre).await.len() == 1).await;
    soon(running.stop()).await;
    assert!(matches!(bench.state(id).await, TextState::Accepted | TextState::Delivered));
}
