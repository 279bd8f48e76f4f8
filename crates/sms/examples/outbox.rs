//! Measures the durable outbox: `outbox PORT WINDOW COUNT` queues texts in a store of its own, sends them all to the
//! centre at that port, and says as JSON in how many seconds the outcome of the last was durable.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program that measures may stop at once, and talks"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Msisdn;
use domain::ids::TextId;
use domain::world::{Clock, SeededDice, World, after_seconds};
use jiff::Timestamp;
use sms::{News, Sms, SmsConfig};
use store::texts::{NewText, TextPurpose};
use store::{MasterKey, Store, StoreError};
use tokio_util::sync::CancellationToken;

struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::try_from(std::time::SystemTime::now()).unwrap()
    }
}

/// Texts queued in one commit.
const BATCH: u64 = 1_000;

#[tokio::main]
async fn main() {
    let words: Vec<u64> = std::env::args().skip(1).map(|word| word.parse().unwrap()).collect();
    let [port, window, count] = words[..] else {
        println!("outbox PORT WINDOW COUNT");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(Arc::new(Now), Arc::new(SeededDice::new(1)));
    let keys = MasterKey::from_secret([7; 32]);
    let store = Store::open_embedded(directory.path(), &keys, world.clone()).unwrap();
    for batch in 0..count.div_ceil(BATCH) {
        let texts: Vec<_> =
            (batch * BATCH..count.min((batch + 1) * BATCH)).map(|n| text(&world, n)).collect();
        store
            .write::<_, StoreError, _>(move |tx| texts.iter().try_for_each(|text| tx.texts().enqueue(text)))
            .await
            .unwrap();
    }
    let mut config = SmsConfig::new("127.0.0.1", u16::try_from(port).unwrap(), "test", "test", "10690001");
    config.centres[0].bind.window = usize::try_from(window).unwrap();
    let (teller, mut news) = tokio::sync::mpsc::unbounded_channel();
    let role = Sms::observed(store.clone(), world, config, teller);
    let (link, stop) = (role.link(), CancellationToken::new());
    let task = tokio::spawn(role.run(stop.clone().cancelled_owned()));
    link.bound().await;
    let begun = Instant::now();
    let mut settled = 0;
    while settled < count {
        match tokio::time::timeout(Duration::from_secs(60), news.recv()).await {
            Ok(Some(News::Sent(sent))) => settled += u64::from(sent.state.is_settled()),
            other => assert!(other.is_ok(), "nothing comes any more"),
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    stop.cancel();
    task.await.unwrap();
    let open = store.read::<_, StoreError, _>(|view| view.texts().count_open()).await.unwrap();
    assert_eq!(open, 0, "an outcome is not durable");
    println!("{{\"seconds\":{seconds}}}");
}

fn text(world: &World, n: u64) -> NewText {
    NewText {
        id: TextId(world.uuid()),
        purpose: TextPurpose::SignIn,
        to: Msisdn::parse_e164(&format!("+86138{:08}", n % 100_000_000)).unwrap(),
        suffix: String::new(),
        body: "Your code is 381724. It is good for five minutes.".to_owned(),
        not_after: after_seconds(world.now(), 86_400),
        reference: None,
    }
}
