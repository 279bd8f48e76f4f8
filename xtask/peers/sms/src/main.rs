//! `peers smpp34|rusmppc PORT WINDOW COUNT` binds with that crate, submits, and says the seconds as JSON.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures::StreamExt;
use rusmpp::pdus::{BindTransceiver, SubmitSm};
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{Npi, Ton};
use rusmppc::ConnectionBuilder;
use smpp34::client::{BIND_TYPE, SMSC, SmppClient, SmppClientListener};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

const TEXT: &str = "Your code is 381724. It is good for five minutes.";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [who, port, window, count] = &words[..] else {
        println!("peers smpp34|rusmppc PORT WINDOW COUNT");
        return;
    };
    let (port, window) = (port.parse().unwrap(), window.parse().unwrap());
    let left = Arc::new(AtomicU64::new(count.parse().unwrap()));
    let seconds = match who.as_str() {
        "smpp34" => smpp34(port, window, left).await,
        _ => rusmppc(port, window, left).await,
    };
    println!("{{\"seconds\":{seconds}}}");
}

fn take(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

struct Binder(Mutex<Option<oneshot::Sender<Arc<SMSC>>>>);

#[async_trait::async_trait]
impl SmppClientListener for Binder {
    async fn on_smsc_bound(&self, smsc: SMSC, _: &String) {
        if let Some(bound) = self.0.lock().unwrap().take() {
            let _ = bound.send(Arc::new(smsc));
        }
    }
}

async fn smpp34(port: u16, window: u16, left: Arc<AtomicU64>) -> f64 {
    let (bound, smsc) = oneshot::channel();
    let (host, user, none) = ("127.0.0.1".to_owned(), "test".to_owned(), String::new());
    let binder = Arc::new(Binder(Mutex::new(Some(bound))));
    let mut client = SmppClient::new(
        host, port, false, BIND_TYPE::TRX, user.clone(), user, none.clone(), 0, 0, none, binder, window.into(),
    );
    client.start().await;
    let smsc = smsc.await.unwrap();
    let begun = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..window {
        let (smsc, left) = (Arc::clone(&smsc), Arc::clone(&left));
        senders.spawn(async move {
            while take(&left) {
                let submit = smsc.submit_sm().source_addr("10690001").dest_addr_ton(1).dest_addr_npi(1);
                submit.destination_addr("8613800138000").short_message(TEXT.as_bytes()).send().await.unwrap();
            }
        });
    }
    senders.join_all().await;
    let seconds = begun.elapsed().as_secs_f64();
    client.stop().await;
    seconds
}

async fn rusmppc(port: u16, window: u16, left: Arc<AtomicU64>) -> f64 {
    // It refuses a centre that names no version in its answer, unless told otherwise.
    let builder = ConnectionBuilder::new().disable_interface_version_check();
    let (client, mut events) = builder.connect(format!("smpp://127.0.0.1:{port}")).await.unwrap();
    tokio::spawn(async move { while events.next().await.is_some() {} });
    let bind = BindTransceiver::builder()
        .system_id(COctetString::from_str("test").unwrap())
        .password(COctetString::from_str("test").unwrap());
    client.bind_transceiver(bind.build()).await.unwrap();
    let submit = SubmitSm::builder()
        .source_addr(COctetString::from_str("10690001").unwrap())
        .dest_addr_ton(Ton::International)
        .dest_addr_npi(Npi::Isdn)
        .destination_addr(COctetString::from_str("8613800138000").unwrap())
        .short_message(OctetString::from_str(TEXT).unwrap())
        .build();
    let begun = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..window {
        let (client, left, submit) = (client.clone(), Arc::clone(&left), submit.clone());
        senders.spawn(async move {
            while take(&left) {
                client.submit_sm(submit.clone()).await.unwrap();
            }
        });
    }
    senders.join_all().await;
    let seconds = begun.elapsed().as_secs_f64();
    client.close().await.unwrap();
    seconds
}
