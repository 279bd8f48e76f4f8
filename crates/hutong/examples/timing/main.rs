//! Tries to tell people apart by how long an answer takes: `cargo xtask soak timing [probes] [group …]`.
//!
//! All roles run in this process. Each group is one call and several kinds of people, or shares, that must
//! look the same from outside; the kinds are probed in a random order, 10,000 times each, and every two
//! compared by Welch's t-test, also with the slowest 5, 10 and 25 in a hundred left out: there is the noise
//! of the machine (Reparaz, Balasch and Verbauwhede, Dude, is my code constant time?, 2017). From 4.5 on two
//! kinds can be told apart. A control shows what the run is worth: two kinds of the same people, one of them
//! answered a few microseconds later, that must be told apart, and two that are the same and must not. The data lies
//! in memory where there is such a place, so that a write's own time is not lost in that of a disk.
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
use std::time::{Duration, Instant};

use domain::world::{SeededDice, SetClock, World};
use http::Method;
use serde_json::json;

use self::street::Street;
use self::welch::Verdict;

/// What the test's literature takes for a leak: by chance once in 150,000 comparisons.
const T_MAX: f64 = 4.5;
const PROBES: usize = 10_000;
/// How much later the control answers: a few hundredths of what an answer takes, and twice what so many probes
/// find on a restless machine most of the time.
const LATER: Duration = Duration::from_micros(20);
const CONTROL: &str = "control";

/// One kind: its name, and what to ask about in turn: numbers as in a path, or share ids.
#[derive(Clone)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) about: Vec<String>,
    /// Whether the control answers about them a little later.
    pub(crate) is_later: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let probes = arguments.iter().find_map(|word| word.parse().ok()).unwrap_or(PROBES);
    let wanted = |group: &str| {
        let mut named = arguments.iter().filter(|word| word.parse::<usize>().is_err()).peekable();
        named.peek().is_none() || named.any(|word| word == group)
    };
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let street = Street::new(directory.path()).await;
    let began = Instant::now();
    println!(
        "{:<9}{:<40}{:<40}{:>9}{:>9}{:>9}",
        "group", "kind", "against", "|t| all", "cropped", "finds us"
    );
    let (mut worst, mut found) = (0.0_f64, f64::INFINITY);
    for group in [CONTROL, "friend", "feed", "tap", "amend", "hide"] {
        if !wanted(group) && group != CONTROL {
            continue;
        }
        for pair in run(&street, group, probes).await {
            let t = pair.verdict.t.max(pair.verdict.cropped);
            if pair.injected {
                found = found.min(t);
            } else {
                worst = worst.max(t);
            }
        }
    }
    let (told_apart, blind) = (worst >= T_MAX, found < T_MAX);
    println!(
        "timing: {probes} probes a kind, {:.0} s; largest |t| {worst:.2} of at most {T_MAX}; the control, {} microseconds \
         injected, was found with |t| {found:.1}; violations: {}",
        began.elapsed().as_secs_f64(),
        LATER.as_micros(),
        u8::from(told_apart) + u8::from(blind)
    );
    if blind {
        println!("timing: the run could not see {} microseconds, so it proves nothing", LATER.as_micros());
    }
    if told_apart || blind { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Two kinds compared.
struct Pair {
    verdict: Verdict,
    /// Whether they differ by what the control injects.
    injected: bool,
}

/// Probes the kinds of one group, and compares every two of them.
async fn run(street: &Street, group: &str, probes: usize) -> Vec<Pair> {
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
            let later = if kinds[kind].is_later { LATER } else { Duration::ZERO };
            let seconds = probe(street, group, (about, later), &format!("{turn}-{kind}")).await;
            if turn >= probes / 10 {
                times[kind].push(seconds);
            }
        }
    }
    let mut pairs = Vec::new();
    for (one, kind) in kinds.iter().enumerate() {
        println!("{group:<9}{:<40}median {:.1} microseconds", kind.name, welch::median(&times[one]) * 1e6);
        for (other, against) in kinds.iter().enumerate().skip(one + 1) {
            let verdict = welch::compare(&times[one], &times[other], T_MAX);
            let Verdict { t, cropped, finest } = verdict;
            let finest = finest * 1e6;
            println!("{group:<9}{:<40}{:<40}{t:>9.2}{cropped:>9.2}{finest:>9.2}", kind.name, against.name);
            pairs.push(Pair { verdict, injected: kind.is_later != against.is_later });
        }
    }
    pairs
}

/// Asks once; answers the seconds it took. What the asking has changed is put back unmeasured.
async fn probe(street: &Street, group: &str, (about, later): (&str, Duration), turn: &str) -> f64 {
    let (house, viewer) = (&street.house, &street.viewer);
    let call = async |method: Method, path: String, body: Option<String>, headers: &[(&str, &str)]| {
        let began = Instant::now();
        let answer = house.call(viewer, method, &path, body.as_deref(), headers).await;
        let answered = Instant::now();
        while answered.elapsed() < later {
            std::hint::spin_loop();
        }
        (began.elapsed().as_secs_f64(), answer)
    };
    let (seconds, answer, expected) = match group {
        "friend" | CONTROL => {
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
