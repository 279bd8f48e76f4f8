//! What a process that died leaves behind.

use smpp::simulator::Faults;
use store::texts::{TextPurpose, TextState};

use crate::bench::{Bench, Running, centre, screen, soon};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_death_a_confirmation_is_sent_again_with_the_same_words_and_a_sign_in_code_never() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let confirmation = bench.queue(TextPurpose::Confirmation, "reply 4827").await;
    let code = bench.queue(TextPurpose::SignIn, "code 123456").await;
    bench.take_and_die().await;
    let running = Running::start(&bench, centre.smpp_addr());
    bench.comes_to(confirmation, TextState::Delivered).await;
    bench.pass_s(60).await;
    assert_eq!(screen(&centre).await, ["reply 4827"]);
    assert_eq!(bench.state(code).await, TextState::Unknown);
    let told = bench.told().await;
    assert!(told.contains(&("code 123456".to_owned(), "unknown".to_owned())), "{told:?}");
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_two_deaths_a_confirmation_is_not_sent_a_third_time() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let id = bench.queue(TextPurpose::Confirmation, "reply 4827").await;
    bench.take_and_die().await;
    // Where nobody listens, the start decides about the text and then waits.
    let running = Running::start(&bench, crate::bench::free_address().await);
    bench.comes_to(id, TextState::Queued).await;
    soon(running.stop()).await;
    bench.pass_s(20).await;
    bench.take_and_die().await;
    let running = Running::start(&bench, centre.smpp_addr());
    bench.comes_to(id, TextState::Unknown).await;
    bench.pass_s(60).await;
    assert!(screen(&centre).await.is_empty());
    assert_eq!(bench.told().await, [("reply 4827".to_owned(), "unknown".to_owned())]);
    soon(running.stop()).await;
}
