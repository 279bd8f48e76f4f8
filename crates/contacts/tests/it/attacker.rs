//! An attacker in simulated time: what they can find out, and what they can cost.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use contacts::SignInLimits;
use domain::world::{Dice, SeededDice};

use crate::bench::{Bench, DAY_S, HOME, HOUR_S, number};

/// A code is one of so many.
const CODES: f64 = 1_000_000.0;
const DAYS: i64 = 4;

/// What happened, by the second.
#[derive(Default)]
struct Seen {
    guesses: BTreeMap<String, Vec<i64>>,
    texts: BTreeMap<String, Vec<i64>>,
    asked: BTreeMap<String, Vec<i64>>,
    all: Vec<i64>,
}

/// The most that fell into any window.
fn most(times: &[i64], window_s: i64) -> usize {
    let in_window = |first: &i64| times.iter().filter(|t| (*first..first + window_s).contains(*t)).count();
    times.iter().map(in_window).max().unwrap_or(0)
}

/// Asks for a code and guesses at it as long as anybody looks; answers when it is worth coming back.
async fn attack(bench: &Bench, victim: &str, from: &str, seen: &mut Seen, patience: i64) -> i64 {
    let begun = bench.begin(victim, from).await;
    let now = bench.now_s();
    if begun.status != StatusCode::ACCEPTED {
        return now + begun.retry_after_s.expect("a refusal says when to come back");
    }
    for times in [
        seen.texts.entry(victim.to_owned()).or_default(),
        seen.asked.entry(from.to_owned()).or_default(),
        &mut seen.all,
    ] {
        times.push(now);
    }
    let id = begun.registration();
    // Some wait with their guesses, so as to have more of them at once when a window ends.
    bench.advance_s(patience);
    for guess in 0.. {
        let answer = bench.confirm(&id, &format!("{guess:06}"), from).await;
        let compared = answer.code() == "registration/wrong-code"
            || (answer.code() == "registration/too-many-tries"
                && !answer.body["detail"].as_str().unwrap().contains("everywhere")
                && !shut_before(seen, victim, bench.now_s()));
        assert_ne!(answer.status, StatusCode::CREATED, "the dice of this test give no such code");
        if compared {
            seen.guesses.entry(victim.to_owned()).or_default().push(bench.now_s());
        }
        if answer.code() != "registration/wrong-code" {
            break;
        }
    }
    bench.now_s()
}

/// Whether the newest 20 guesses lie within a day: then the answer was no look at the code.
fn shut_before(seen: &Seen, victim: &str, now: i64) -> bool {
    let day = |times: &Vec<i64>| times.iter().filter(|time| **time > now - DAY_S).count() >= 20;
    seen.guesses.get(victim).is_some_and(day)
}

fn check(seen: &Seen, limits: &SignInLimits) {
    for (victim, guesses) in &seen.guesses {
        let luck = most(guesses, DAY_S) as f64 / CODES;
        assert!(luck <= 2e-5, "{victim} is taken over with a probability of {luck} a day");
    }
    for texts in seen.texts.values() {
        assert!(most(texts, 60) as i64 <= limits.texts_per_number_minute);
        assert!(most(texts, HOUR_S) as i64 <= limits.texts_per_number_hour);
        assert!(most(texts, DAY_S) as i64 <= limits.texts_per_number_day);
    }
    for asked in seen.asked.values() {
        assert!(most(asked, HOUR_S) as i64 <= limits.texts_per_address_hour);
    }
    assert!(most(&seen.all, HOUR_S) as i64 <= limits.texts_per_hour);
}

#[tokio::test]
async fn whoever_comes_back_as_soon_as_allowed_from_many_addresses_finds_no_number_in_days() {
    let bench = Bench::new();
    let (victims, addresses) = (3, 5);
    let end = bench.now_s() + DAYS * DAY_S;
    let mut seen = Seen::default();
    while bench.now_s() < end {
        let mut next = i64::MAX;
        for victim in 0..victims {
            for address in 0..addresses {
                let from = format!("203.0.113.{address}");
                next = next.min(attack(&bench, &number(victim), &from, &mut seen, 0).await);
            }
        }
        bench.advance_s((next - bench.now_s()).max(1));
    }
    check(&seen, &bench.limits);
    let whole: usize = seen.guesses.values().map(Vec::len).sum();
    assert_eq!(whole, victims as usize * 20 * DAYS as usize, "the attack uses all there is");
    bench.advance_s(DAY_S);
    bench.sign_in(&number(0)).await;
}

#[tokio::test]
async fn whoever_spaces_texts_and_guesses_by_chance_stays_within_every_bound() {
    let limits = SignInLimits { texts_per_hour: 12, texts_per_address_hour: 6, ..SignInLimits::default() };
    for seed in 0..3 {
        let (bench, dice) = (Bench::with(limits), SeededDice::new(seed));
        let below = |bound: i64| {
            let mut bytes = [0; 8];
            dice.fill(&mut bytes);
            (u64::from_le_bytes(bytes) % bound.unsigned_abs()).cast_signed()
        };
        let mut seen = Seen::default();
        for _ in 0..400 {
            let victim = number(below(4).unsigned_abs());
            let from = format!("203.0.113.{}", below(4));
            attack(&bench, &victim, &from, &mut seen, below(4) * 70).await;
            bench.advance_s([0, 1, 59, 61, 600, 3_601][usize::try_from(below(6)).unwrap()]);
        }
        check(&seen, &limits);
        assert!(seen.all.len() > 20, "{} of 400 are not refused", seen.all.len());
    }
}

#[tokio::test]
async fn an_owner_who_signs_in_between_gives_the_attacker_no_further_guess() {
    let bench = Bench::new();
    let (victim, mut seen, mut signed_in) = (number(1), Seen::default(), 0);
    for hour in 0..48 {
        for address in 0..3 {
            attack(&bench, &victim, &format!("203.0.113.{address}"), &mut seen, 0).await;
            bench.advance_s(61);
        }
        bench.texts().await;
        if bench.begin(&victim, HOME).await.status == StatusCode::ACCEPTED {
            signed_in += 1;
        }
        bench.advance_s(HOUR_S - 183);
        if hour % 8 == 0 {
            check(&seen, &bench.limits);
        }
    }
    check(&seen, &bench.limits);
    assert!(signed_in > 0);
}

/// Attacks as many numbers as can be from an address for each, every one as soon as it is allowed.
async fn attack_everybody(limits: SignInLimits, hours: i64) -> Seen {
    let (bench, mut seen) = (Bench::with(limits), Seen::default());
    let end = bench.now_s() + hours * HOUR_S;
    let mut place = 0_u64;
    while bench.now_s() < end {
        let (victim, address) = (number(place % 5_000), place % 60_000);
        let from = format!("203.{}.{}.{}", address / 65_536, address / 256 % 256, address % 256);
        let texts = seen.all.len();
        let next = attack(&bench, &victim, &from, &mut seen, 0).await;
        place += 1;
        if seen.all.len() == texts {
            // A number and an address that nobody has used: only what counts over all refuses them.
            bench.advance_s((next - bench.now_s()).max(1));
        } else {
            bench.advance_s(1);
        }
    }
    seen
}

#[tokio::test]
async fn however_many_numbers_are_attacked_from_however_many_addresses_a_days_harm_is_configured() {
    let cases = [
        // What the wrong codes in all bound, and what the texts in all do.
        SignInLimits { texts_per_hour: 60, wrong_codes_per_hour: 50, ..SignInLimits::default() },
        SignInLimits { texts_per_hour: 8, wrong_codes_per_hour: 500, ..SignInLimits::default() },
    ];
    for limits in cases {
        let seen = attack_everybody(limits, 30).await;
        check(&seen, &limits);
        let worst = limits.worst_day();
        let guesses: Vec<i64> = seen.guesses.values().flatten().copied().collect();
        let (texts, wrong) = (most(&seen.all, DAY_S) as i64, most(&guesses, DAY_S) as i64);
        assert!(most(&guesses, HOUR_S) as i64 <= limits.wrong_codes_per_hour);
        assert!(texts <= worst.texts && wrong <= worst.wrong_codes, "{texts}, {wrong}, {worst:?}");
        assert!(wrong as f64 / CODES <= worst.taken_over);
        // The bound is no looser than it must be: the attack comes near to it.
        assert!(wrong * 10 >= worst.wrong_codes * 8, "{wrong} of {worst:?}");
        assert!(seen.guesses.len() > 50, "many numbers were attacked");
    }
}

#[tokio::test]
async fn when_too_many_wrong_codes_are_tried_everywhere_none_is_looked_at_until_the_hour_is_over() {
    let bench =
        Bench::with(SignInLimits { wrong_codes_per_hour: 4, tries_per_code: 2, ..SignInLimits::default() });
    let owner = bench.begin(&number(9), HOME).await.registration();
    for (place, from) in [(1, "203.0.113.1"), (2, "203.0.113.2")] {
        let id = bench.begin(&number(place), from).await.registration();
        for guess in ["000001", "000002"] {
            bench.confirm(&id, guess, from).await;
        }
    }
    // Also the owner's right code, and no text goes out for what could not be tried.
    let code = bench.code_for(&number(9)).await;
    let refused = bench.confirm(&owner, &code, HOME).await;
    assert_eq!(refused.refusal(), (429, "registration/too-many-tries", Some(HOUR_S + 60)));
    assert_eq!(bench.begin(&number(8), HOME).await.code(), "registration/too-many-tries");
    bench.advance_s(HOUR_S + 60);
    bench.sign_in(&number(8)).await;
}

/// The page's figures are those of the code.
#[test]
fn the_page_about_signing_in_says_what_the_limits_come_to() {
    let page = include_str!("../../../../docs/sign-in.md");
    let (limits, worst) = (SignInLimits::default(), SignInLimits::default().worst_day());
    let grouped = |value: i64| {
        let digits = value.to_string();
        let groups: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).unwrap()).collect();
        groups.join(",")
    };
    for (key, value) in [
        ("code_life_s", limits.code_life_s),
        ("tries_per_code", limits.tries_per_code),
        ("texts_per_number_minute", limits.texts_per_number_minute),
        ("texts_per_number_hour", limits.texts_per_number_hour),
        ("texts_per_number_day", limits.texts_per_number_day),
        ("texts_per_address_hour", limits.texts_per_address_hour),
        ("texts_per_hour", limits.texts_per_hour),
        ("wrong_codes_per_number_day", limits.wrong_codes_per_number_day),
        ("wrong_codes_per_address_hour", limits.wrong_codes_per_address_hour),
        ("wrong_codes_per_hour", limits.wrong_codes_per_hour),
    ] {
        let line = format!("| `{key}` | {} |", grouped(value));
        assert!(page.contains(&line), "the page lacks: {line}");
    }
    for figure in [grouped(worst.texts), grouped(worst.wrong_codes), worst.taken_over.to_string()] {
        assert!(page.contains(&figure), "the page lacks: {figure}");
    }
    assert!((worst.one_taken_over - 2e-5).abs() < 1e-12 && page.contains("2 in 100,000"));
}
