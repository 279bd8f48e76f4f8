//! How many orders a second: from a subscriber's tap to the state that comes back, through the real binary.
//!
//! `cargo xtask bench orders` runs it: `orders BINARY own|confirmed [people] [rate]`. The servers are a process of
//! their own with the embedded store; this one holds the simulated centre, the phones, which answer each
//! confirmation at once with its code, and the terminals. Without a rate every terminal taps as fast as it is
//! answered, and the orders a second are counted from the first tap until the last order is completed and nothing
//! waits any more. With a rate the taps come evenly, and the answer times are those of the taps. It prints one line
//! of JSON.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a measurement may end so, talks to whoever started it, and measures real time"
)]

mod town;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use self::town::{Kind, Town};

/// Terminals that tap at the same time.
const TERMINALS: usize = 64;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let binary = arguments.first().expect("the binary").clone();
    let kind = match arguments.get(1).map(String::as_str) {
        Some("own") => Kind::Own,
        Some("confirmed") => Kind::Confirmed,
        _ => panic!("own or confirmed"),
    };
    let number = |place: usize| arguments.get(place).and_then(|word| word.parse().ok());
    let (people, rate) = (number(2).unwrap_or(1_000), number(3));
    let town = Arc::new(Town::start(&binary, kind, people).await);
    let taps = town.taps();
    let count = taps.len();
    let began = Instant::now();
    let times = match rate {
        None => as_fast_as_answered(&town, taps).await,
        Some(rate) => evenly(&town, taps, rate).await,
    };
    let tapped = began.elapsed();
    town.quiet(count).await;
    let took = began.elapsed();
    town.all_completed(count).await;
    let mut times: Vec<f64> = times.into_iter().map(|time| time.as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    let part = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let said = json!({
        "orders": count,
        "seconds": took.as_secs_f64(),
        "tapping_seconds": tapped.as_secs_f64(),
        "orders_per_second": count as f64 / took.as_secs_f64(),
        "p50_ms": part(0.5),
        "p99_ms": part(0.99),
        "max_ms": part(1.0),
    });
    println!("{said}");
}

/// Every terminal taps again as soon as it is answered.
async fn as_fast_as_answered(town: &Arc<Town>, taps: Vec<town::Tap>) -> Vec<Duration> {
    let (taps, next) = (Arc::new(taps), Arc::new(AtomicUsize::new(0)));
    let terminal = |_| {
        let (town, taps, next) = (Arc::clone(town), Arc::clone(&taps), Arc::clone(&next));
        tokio::spawn(async move {
            let mut times = Vec::new();
            while let Some(tap) = taps.get(next.fetch_add(1, Ordering::Relaxed)) {
                times.push(town.tap(tap).await);
            }
            times
        })
    };
    let terminals: Vec<_> = (0..TERMINALS).map(terminal).collect();
    let mut times = Vec::new();
    for terminal in terminals {
        times.extend(terminal.await.unwrap());
    }
    times
}

/// The taps come evenly, whether or not those before are answered; a time counts from when its tap was due.
async fn evenly(town: &Arc<Town>, taps: Vec<town::Tap>, rate: usize) -> Vec<Duration> {
    let began = Instant::now();
    let mut answers = Vec::new();
    for (index, tap) in taps.into_iter().enumerate() {
        let due = began + Duration::from_secs_f64(index as f64 / rate as f64);
        tokio::time::sleep_until(due.into()).await;
        let town = Arc::clone(town);
        answers.push(tokio::spawn(async move { town.tap(&tap).await }));
    }
    let mut times = Vec::new();
    for answer in answers {
        times.push(answer.await.unwrap());
    }
    times
}
