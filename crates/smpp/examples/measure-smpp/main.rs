//! Measures the session layer: `serve` is an SMS centre that accepts everything at once and says its port;
//! `send PORT WINDOW COUNT` binds there, submits, and says the seconds as JSON.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program that measures may stop at once, and talks"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::BytesMut;
use smpp::wire::{FrameCodec, command};
use smpp::{Address, BindConfig, BoxFuture, DeliverAck, Delivered, Inbound, Session, Submit, text};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::codec::Decoder;

struct Nobody;

impl Inbound for Nobody {
    fn deliver(&self, _: Delivered) -> BoxFuture<'_, DeliverAck> {
        Box::pin(std::future::ready(DeliverAck::Stored))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => serve().await,
        ["send", port, window, count] => {
            send(port.parse().unwrap(), window.parse().unwrap(), count.parse().unwrap()).await;
        }
        _ => println!("measure serve | send PORT WINDOW COUNT"),
    }
}

async fn send(port: u16, window: usize, count: u64) {
    let mut config = BindConfig::new("127.0.0.1", port, "test", "test");
    config.window = window;
    let session = Session::bind(config, Arc::new(Nobody)).await.unwrap();
    let segment = text::segments("Your code is 381724. It is good for five minutes.", 1).remove(0);
    let submit = Submit {
        source: Address::short_code("10690001"),
        destination: Address::international("8613800138000"),
        segment,
        validity: None,
        receipt: false,
        leave_by: None,
    };
    let left = Arc::new(AtomicU64::new(count));
    let begun = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..window {
        let (session, submit, left) = (session.clone(), submit.clone(), Arc::clone(&left));
        senders.spawn(async move {
            let take = || left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            while take().is_ok() {
                session.submit(submit.clone()).await.unwrap();
            }
        });
    }
    while senders.join_next().await.is_some() {}
    println!("{{\"seconds\":{}}}", begun.elapsed().as_secs_f64());
    session.unbind().await;
}

async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening {}", listener.local_addr().unwrap().port());
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream));
    }
}

/// Answers all that has come with one write.
async fn answer(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let (mut read, mut write) = (BytesMut::with_capacity(64 << 10), Vec::new());
    let mut id = 0u64;
    loop {
        match stream.read_buf(&mut read).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        while let Ok(Some(frame)) = FrameCodec.decode(&mut read) {
            if frame.id & command::RESPONSE_BIT != 0 {
                continue;
            }
            id += 1;
            let body = match frame.id {
                command::SUBMIT_SM => format!("{id}\0"),
                command::ENQUIRE_LINK | command::UNBIND => String::new(),
                _ => "sink\0".to_owned(),
            };
            let length = u32::try_from(16 + body.len()).unwrap();
            for word in [length, frame.id | command::RESPONSE_BIT, 0, frame.sequence] {
                write.extend_from_slice(&word.to_be_bytes());
            }
            write.extend_from_slice(body.as_bytes());
        }
        if stream.write_all(&write).await.is_err() {
            return;
        }
        write.clear();
    }
}
