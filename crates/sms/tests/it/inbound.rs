//! Texts from phones.

use smpp::simulator::{Faults, SourceForm};

use crate::bench::{Bench, PHONE, Running, centre, soon};

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_delivered_twice_becomes_one_inbox_row_and_one_job() {
    let (bench, centre) =
        (Bench::new(), centre(Faults { duplicate_deliveries: true, ..Faults::default() }).await);
    let running = Running::start(&bench, centre.smpp_addr());
    centre.reply(PHONE, "1069000142", "4827").await.unwrap();
    bench.until(async || centre.deliveries_open() == 0).await;
    let replies = bench.replies().await;
    assert_eq!(replies.len(), 1);
    assert_eq!((replies[0].body.as_str(), replies[0].destination.as_str()), ("4827", "1069000142"));
    assert_eq!(replies[0].from.e164(), PHONE);
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_a_phone_number_is_the_same_phone() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start(&bench, centre.smpp_addr());
    let forms = [SourceForm::International, SourceForm::Plus, SourceForm::DoubleZero, SourceForm::National];
    for (n, source_form) in forms.into_iter().enumerate() {
        centre.set_faults(Faults { source_form, ..Faults::default() });
        centre.reply(PHONE, "10690001", &n.to_string()).await.unwrap();
    }
    bench.until(async || centre.deliveries_open() == 0).await;
    let replies = bench.replies().await;
    assert_eq!(replies.len(), forms.len());
    assert!(replies.iter().all(|reply| reply.from.e164() == PHONE));
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_to_an_address_that_is_not_ours_is_acknowledged_and_dropped() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start(&bench, centre.smpp_addr());
    centre.reply(PHONE, "10086", "4827").await.unwrap();
    bench.until(async || centre.deliveries_open() == 0).await;
    assert!(bench.replies().await.is_empty());
    soon(running.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_while_the_store_is_away_stays_with_the_centre() {
    let (bench, centre) = (Bench::new(), centre(Faults::default()).await);
    let running = Running::start(&bench, centre.smpp_addr());
    soon(running.link.bound()).await;
    bench.store.close().await;
    centre.reply(PHONE, "10690001", "4827").await.unwrap();
    bench.pass_s(20).await;
    assert_eq!(centre.deliveries_open(), 1);
    soon(running.stop()).await;
}
