//! Several copies of the role, each a process of its own as far as the store can tell, on one database.

use smpp::simulator::Faults;
use sms::BindKind;
use store::texts::{TextPurpose, TextState};

use crate::bench::{Bench, Running, centre, screen, soon};

/// Seconds in which a copy may be stopped and go on, and in which another leaves its texts alone.
const PAUSE_S: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_starts_does_not_take_the_texts_of_another_for_lost() {
    let Some(bench) = Bench::shared("lost").await else { return };
    let centre = centre(Faults::default()).await;
    let confirmation = bench.queue(TextPurpose::Confirmation, "reply 4827").await;
    let code = bench.queue(TextPurpose::SignIn, "code 123456").await;
    // Another copy has taken both, and says nothing for a while.
    bench.take_and_die().await;
    let running = Running::start(&bench, centre.smpp_addr());
    bench.pass_s(PAUSE_S).await;
    assert!(screen(&centre).await.is_empty());
    assert_eq!([bench.state(confirmation).await, bench.state(code).await], [TextState::Sent; 2]);
    // It says nothing any more: what may be sent again is, by a copy that has run all the while.
    bench.comes_to(confirmation, TextState::Delivered).await;
    bench.comes_to(code, TextState::Unknown).await;
    assert_eq!(screen(&centre).await, ["reply 4827"]);
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_copies_send_every_text_once() {
    let Some(bench) = Bench::shared("once").await else { return };
    let centre = centre(Faults::default()).await;
    let first = Running::start(&bench, centre.smpp_addr());
    let texts = bench.queue_mixed(40).await;
    let others: Vec<_> = (0..2).map(|_| Running::start(&bench, centre.smpp_addr())).collect();
    for (id, ..) in &texts {
        bench.comes_to(*id, TextState::Delivered).await;
    }
    bench.pass_s(20).await;
    let mut shown = screen(&centre).await;
    let mut queued: Vec<_> = texts.into_iter().map(|(_, _, body)| body).collect();
    shown.sort();
    queued.sort();
    assert_eq!(shown, queued);
    for running in others.into_iter().chain([first]) {
        soon(running.stop()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_comes_to_another_copy_than_the_answer_is_written_down() {
    let Some(bench) = Bench::shared("receipt").await else { return };
    // The receipt is there long before the answer is written.
    let centre = centre(Faults { answer_delay_ms: 300, ..Faults::default() }).await;
    let bound = |kind| move |config: &mut sms::CentreConfig| config.binds = vec![kind];
    let receiver = Running::start_with(&bench, centre.smpp_addr(), bound(BindKind::Receiver));
    let transmitter = Running::start_with(&bench, centre.smpp_addr(), bound(BindKind::Transmitter));
    let id = bench.queue(TextPurpose::Confirmation, "reply 4827").await;
    bench.comes_to(id, TextState::Delivered).await;
    soon(receiver.stop()).await;
    soon(transmitter.stop()).await;
}
