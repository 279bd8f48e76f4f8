//! Tries to tell people apart by how long an answer takes: `cargo xtask soak timing [probes] [group …]`.
//!
//! All roles run in this process. Each group is one call and several kinds of people, or shares, that must
//! look the same from outside; the kinds are probed in a random order, 10,000 times each, and every two
//! compared by Welch's t-test, also with the slowest 5, 10 and 25 in a hundred left out: there is the noise
//! of the machine (Reparaz, Balasch and Verbauwhede, Dude, is my code constant time?, 2017). Above 4.5 two
//! kinds can be told apart. The directory follows TMPDIR: in memory a write's own time is not lost in that of
//! a disk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an experiment may end so, talks to whoever started it, and measures real time"
)]

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/inside/house.rs"]
mod house;
mod street;
mod welch;

use std::process::ExitCode;
use std::time::Instant;

use domain::world::{SeededDice, SetClock, World};
use http::Method;
use serde_json::json;

use self::street::Street;
use self::welch::Verdict;

/// What the test's literature takes for a leak: by chance once in 150,000 comparisons.
const T_MAX: f64 = 4.5;
const PROBES: usize = 10_000;

/// One kind: its name, and what to ask about in turn: numbers as in a path, or share ids.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) about: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let probes = arguments.iter().find_map(|word| word.parse().ok()).unwrap_or(PROBES);
    let wanted = |group: &str| {
        let mut named = arguments.iter().filter(|word| word.parse::<usize>().is_err()).peekable();
        named.peek().is_none() || named.any(|word| word == group)
    };
    let directory = tempfile::tempdir().unwrap();
    let street = Street::new(directory.path()).await;
    let mut worst = 0.0_f64;
    for group in ["friend", "feed", "tap", "amend", "hide"] {
        if wanted(group) {
            worst = worst.max(run(&street, group, probes).await);
        }
    }
    let well = worst < T_MAX;
    println!("timing: {probes} probes a kind, largest |t| {worst:.2}, violations: {}", u8::from(!well));
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Probes the kinds of one group; answers the largest |t|.
async fn run(street: &Street, group: &str, probes: usize) -> f64 {
    let kinds = street.kinds(group);
    let order = World::new(std::sync::Arc::new(SetClock::at_ms(0)), std::sync::Arc::new(SeededDice::new(41)));
    let mut times: Vec<Vec<f64>> = kinds.iter().map(|_| Vec::with_capacity(probes)).collect();
    let mut asked = vec![0_usize; kinds.len()];
    // The first tenth warms caches and is not counted.
    for turn in 0..(probes + probes / 10) {
        let mut left: Vec<usize> = (0..kinds.len()).collect();
        while !left.is_empty() {
            let place = order.below(u32::try_from(left.len()).unwrap()) as usize;
            let kind = left.swap_remove(place);
            let about = &kinds[kind].about[asked[kind] % kinds[kind].about.len()];
            asked[kind] += 1;
            let seconds = probe(street, group, about, &format!("{turn}-{kind}")).await;
            if turn >= probes / 10 {
                times[kind].push(seconds);
            }
        }
    }
    let mut worst = 0.0_f64;
    for (one, kind) in kinds.iter().enumerate() {
        let median = welch::median(&times[one]);
        println!("{group}: {}: median {:.1} microseconds", kind.name, median * 1e6);
        for other in one + 1..kinds.len() {
            let Verdict { t, cropped } = welch::compare(&times[one], &times[other]);
            println!("  against {}: |t| {:.2} of all, {cropped:.2} cropped", kinds[other].name, t);
            worst = worst.max(t).max(cropped);
        }
    }
    worst
}

/// Asks once; answers the seconds it took. What the asking has changed is put back unmeasured.
async fn probe(street: &Street, group: &str, about: &str, turn: &str) -> f64 {
    let (house, viewer) = (&street.house, &street.viewer);
    let call = async |method: Method, path: String, body: Option<String>, headers: &[(&str, &str)]| {
        let began = Instant::now();
        let answer = house.call(viewer, method, &path, body.as_deref(), headers).await;
        (began.elapsed().as_secs_f64(), answer)
    };
    let (seconds, answer, expected) = match group {
        "friend" => {
            let (seconds, answer) = call(Method::GET, format!("/v1/friends/{about}/shares"), None, &[]).await;
            (seconds, answer, 404)
        }
        "feed" => {
            let (seconds, answer) = call(Method::GET, format!("/v1/feed?friend={about}"), None, &[]).await;
            (seconds, answer, 200)
        }
        "tap" => {
            let body = json!({ "share_id": about }).to_string();
            let key = [("idempotency-key", turn)];
            let (seconds, answer) = call(Method::POST, "/v1/orders".to_owned(), Some(body), &key).await;
            (seconds, answer, 404)
        }
        "amend" => {
            let number = about.replace("%2B", "+");
            let add = json!({ "add": [number] }).to_string();
            let (seconds, answer) = call(Method::PATCH, "/v1/book".to_owned(), Some(add), &[]).await;
            let remove = json!({ "remove": [number] }).to_string();
            call(Method::PATCH, "/v1/book".to_owned(), Some(remove), &[]).await;
            (seconds, answer, 200)
        }
        _ => {
            let path = format!("/v1/hidden/{about}");
            let (seconds, answer) = call(Method::PUT, path.clone(), None, &[]).await;
            call(Method::DELETE, path, None, &[]).await;
            (seconds, answer, 204)
        }
    };
    assert_eq!(answer.status.as_u16(), expected, "{group}: {answer:?}");
    assert!(group != "amend" || answer.body.contains("\"new_matches\":[]"), "a kind that matches");
    seconds
}
