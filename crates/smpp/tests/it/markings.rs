//! Long texts, out and in, however their parts are marked; and octets that are no text.

use smpp::text::{Alphabet, Marking, Segment, segments_as};
use smpp::{Delivered, Session, Submit};

use crate::fixtures::{Inbox, config, deliver_body, scripted, simulator, submit, until};

const PHONE: &str = "+8613800138000";

#[tokio::test]
async fn a_long_text_arrives_whole_however_its_parts_are_marked() {
    let simulator = simulator().await;
    let session = Session::bind(config(simulator.smpp_addr().port()), Inbox::new()).await.unwrap();
    let mut expected = Vec::new();
    for marking in [Marking::Header8, Marking::Header16, Marking::Sar, Marking::Payload] {
        for (alphabet, words) in [
            (Alphabet::Fitting, "ab€[]".repeat(80)),
            (Alphabet::Latin1, "café ".repeat(80)),
            (Alphabet::Ucs2, "胡同😀".repeat(60)),
        ] {
            let text = format!("{}{words}", expected.len());
            let segments = segments_as(&text, 0x1234, alphabet, marking);
            assert_eq!(segments.len() == 1, marking == Marking::Payload);
            for segment in segments {
                session.submit(Submit { segment, ..submit("") }).await.unwrap();
            }
            expected.push(text);
        }
    }
    let shown: Vec<_> = simulator.texts(PHONE).await.into_iter().map(|shown| shown.text).collect();
    assert_eq!(shown, expected);
    session.unbind().await;
}

#[tokio::test]
async fn octets_that_are_no_text_pass_unchanged_both_ways() {
    let inbox = Inbox::new();
    let (session, mut peer) = scripted(|_| {}, inbox.clone()).await;
    let octets: Vec<u8> = (0..=139).collect();
    let sending = tokio::spawn({
        let (session, segment) = (session.clone(), Segment::binary(octets.clone()));
        async move { session.submit(Submit { segment, ..submit("") }).await }
    });
    let sent = peer.accept("1").await;
    assert!(sent.body.ends_with(&octets));
    assert_eq!(sent.body[sent.body.len() - octets.len() - 3], 0x04, "data_coding");
    sending.await.unwrap().unwrap();
    peer.send(smpp::wire::command::DELIVER_SM, 0, 5, &deliver_body(0, 0x04, &octets, b"")).await;
    let delivered = inbox.wait_for(1).await;
    let [Delivered::Text(text)] = &delivered[..] else { panic!("{delivered:?}") };
    assert_eq!((text.body.octets.as_slice(), text.body.text()), (octets.as_slice(), None));
    until(|| session.window_in_use() == 0).await;
}
