//! Codes, and how often they are texted and tried.

use axum::http::StatusCode;
use contacts::SignInLimits;
use serde_json::json;

use crate::bench::{Bench, DAY_S, HOME, HOUR_S, LOCAL, number};

const TEXTS: &str = "registration/too-many-texts";
const TRIES: &str = "registration/too-many-tries";

/// A code that is not the one.
fn other(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

#[tokio::test]
async fn a_number_gets_a_text_a_minute_and_five_an_hour_and_is_told_when_the_next_is_allowed() {
    let bench = Bench::new();
    let (one, began) = (number(1), bench.now_s());
    for _ in 0..5 {
        let begun = bench.begin(&one, HOME).await;
        begun.registration();
        let wait = begun.body["resend_after_s"].as_i64().unwrap();
        assert_eq!(bench.begin(&one, "203.0.113.5").await.refusal(), (429, TEXTS, Some(wait)));
        bench.advance_s(wait - 1);
        assert_eq!(bench.begin(&one, HOME).await.refusal(), (429, TEXTS, Some(1)));
        bench.advance_s(1);
    }
    assert_eq!(bench.now_s(), began + HOUR_S, "the sixth waits for the first to be an hour old");
    assert_eq!(bench.texts().await.len(), 0, "no refusal has texted, and what was not sent in time is not");
}

#[tokio::test]
async fn a_number_gets_twenty_texts_a_day() {
    let bench = Bench::new();
    let (one, began) = (number(1), bench.now_s());
    for _ in 0..20 {
        let begun = bench.begin(&one, HOME).await;
        begun.registration();
        bench.advance_s(begun.body["resend_after_s"].as_i64().unwrap());
    }
    assert_eq!(bench.now_s(), began + DAY_S, "the twenty-first waits for the first to be a day old");
    bench.begin(&one, HOME).await.registration();
}

#[tokio::test]
async fn an_address_asks_for_sixty_texts_an_hour_and_this_machine_for_any_number() {
    let bench = Bench::new();
    for n in 0..60 {
        // One customer's network of IPv6 counts as one address.
        bench.begin(&number(n), &format!("2001:db8::{n:x}")).await.registration();
        bench.advance_s(10);
    }
    assert_eq!(bench.begin(&number(60), "2001:db8::ffff").await.refusal(), (429, TEXTS, Some(3_000)));
    bench.begin(&number(60), "2001:db8:0:1::1").await.registration();
    bench.advance_s(2_999);
    assert_eq!(bench.begin(&number(61), "2001:db8::1").await.refusal(), (429, TEXTS, Some(1)));
    bench.advance_s(1);
    bench.begin(&number(61), "2001:db8::1").await.registration();
    for n in 100..170 {
        bench.begin(&number(n), LOCAL).await.registration();
    }
}

#[tokio::test]
async fn this_machine_can_be_limited_as_well() {
    let limits =
        SignInLimits { texts_per_address_hour: 2, exempt_loopback: false, ..SignInLimits::default() };
    let bench = Bench::with(limits);
    bench.begin(&number(1), LOCAL).await.registration();
    bench.begin(&number(2), LOCAL).await.registration();
    assert_eq!(bench.begin(&number(3), LOCAL).await.refusal(), (429, TEXTS, Some(HOUR_S)));
}

#[tokio::test]
async fn a_code_that_would_come_too_late_is_not_promised() {
    let bench = Bench::with(SignInLimits { code_life_s: 60, ..SignInLimits::default() });
    let refused = bench.begin(&number(1), HOME).await;
    assert_eq!(refused.refusal(), (503, "registration/text-unavailable", Some(60)));
    assert!(bench.texts().await.is_empty(), "nothing is queued for it");
}

#[tokio::test]
async fn all_texts_together_are_bounded_whoever_asks() {
    let bench = Bench::with(SignInLimits { texts_per_hour: 30, ..SignInLimits::default() });
    for n in 0..30 {
        bench.begin(&number(n), &format!("203.0.113.{n}")).await.registration();
        bench.advance_s(10);
    }
    let refused = bench.begin(&number(30), LOCAL).await;
    // Those of one minute are counted together, and as if each had been the last of them.
    assert_eq!(refused.refusal(), (503, "registration/text-unavailable", Some(HOUR_S + 60 - 300)));
    bench.advance_s(HOUR_S + 60 - 301);
    assert_eq!(bench.begin(&number(30), HOME).await.retry_after_s, Some(1));
    bench.advance_s(1);
    for n in 30..36 {
        bench.begin(&number(n), HOME).await.registration();
    }
    assert_eq!(bench.begin(&number(36), HOME).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(bench.texts().await.len(), 6, "the newest are still worth sending");
}

#[tokio::test]
async fn every_limit_holds_across_a_restart() {
    let mut bench = Bench::with(SignInLimits { texts_per_address_hour: 2, ..SignInLimits::default() });
    let id = bench.begin(&number(1), HOME).await.registration();
    let code = bench.code_for(&number(1)).await;
    for _ in 0..4 {
        assert_eq!(bench.confirm(&id, other(&code), HOME).await.code(), "registration/wrong-code");
        bench.restart().await;
    }
    assert_eq!(bench.confirm(&id, other(&code), HOME).await.refusal(), (429, TRIES, None));
    bench.restart().await;
    assert_eq!(bench.confirm(&id, &code, HOME).await.refusal(), (429, TRIES, None), "not even the right one");
    assert_eq!(bench.begin(&number(1), HOME).await.refusal(), (429, TEXTS, Some(60)));
    bench.begin(&number(2), HOME).await.registration();
    bench.restart().await;
    assert_eq!(bench.begin(&number(3), HOME).await.refusal(), (429, TEXTS, Some(HOUR_S)));
}

#[tokio::test]
async fn twenty_wrong_codes_in_a_day_shut_a_number_for_codes_and_texts_until_the_first_is_a_day_old() {
    let bench = Bench::new();
    let (one, began) = (number(1), bench.now_s());
    for _ in 0..4 {
        let id = bench.begin(&one, LOCAL).await.registration();
        let code = bench.code_for(&one).await;
        for _ in 0..5 {
            bench.confirm(&id, other(&code), LOCAL).await;
        }
        bench.advance_s(60);
    }
    let left = began + DAY_S - bench.now_s();
    assert_eq!(bench.begin(&one, HOME).await.refusal(), (429, TRIES, Some(left)));
    bench.advance_s(left - 1);
    assert_eq!(bench.begin(&one, HOME).await.refusal(), (429, TRIES, Some(1)));
    bench.advance_s(1);
    bench.sign_in(&one).await;
}

#[tokio::test]
async fn an_open_code_is_not_looked_at_either_once_the_number_is_shut_and_the_answer_says_until_when() {
    let limits = SignInLimits { wrong_codes_per_number_day: 3, ..SignInLimits::default() };
    let bench = Bench::with(limits);
    let id = bench.begin(&number(1), LOCAL).await.registration();
    let code = bench.code_for(&number(1)).await;
    for expected in ["registration/wrong-code", "registration/wrong-code", TRIES] {
        assert_eq!(bench.confirm(&id, other(&code), LOCAL).await.code(), expected);
    }
    assert_eq!(bench.confirm(&id, &code, LOCAL).await.refusal(), (429, TRIES, Some(DAY_S)));
}

#[tokio::test]
async fn one_address_uses_up_half_of_a_numbers_wrong_codes_and_the_owner_still_comes_in() {
    let bench = Bench::new();
    let (one, attacker) = (number(1), "203.0.113.66");
    for _ in 0..2 {
        let id = bench.begin(&one, attacker).await.registration();
        let code = bench.code_for(&one).await;
        for _ in 0..5 {
            bench.confirm(&id, other(&code), attacker).await;
        }
        bench.advance_s(60);
    }
    let refused = bench.begin(&one, attacker).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, TRIES));
    bench.sign_in(&one).await;
}

#[tokio::test]
async fn one_address_guesses_at_all_numbers_thirty_times_an_hour() {
    let bench = Bench::new();
    let (attacker, began) = ("203.0.113.66", bench.now_s());
    let mut guesses = 0;
    for n in 0..10 {
        let Answered::Begun(id) = begin(&bench, &number(n), attacker).await else { break };
        let code = bench.code_for(&number(n)).await;
        for _ in 0..5 {
            let answer = bench.confirm(&id, other(&code), attacker).await;
            guesses += 1;
            if answer.retry_after_s.is_some() {
                break;
            }
        }
        bench.advance_s(1);
    }
    assert_eq!(guesses, 30);
    let left = began + HOUR_S - bench.now_s();
    assert_eq!(bench.begin(&number(20), attacker).await.refusal(), (429, TRIES, Some(left)));
}

enum Answered {
    Begun(String),
    Refused,
}

async fn begin(bench: &Bench, number: &str, from: &str) -> Answered {
    let answer = bench.begin(number, from).await;
    if answer.status == StatusCode::ACCEPTED {
        Answered::Begun(answer.registration())
    } else {
        Answered::Refused
    }
}

#[tokio::test]
async fn two_confirmations_with_the_right_code_at_once_sign_one_device_in() {
    let bench = Bench::new();
    for n in 0..20 {
        let id = bench.begin(&number(n), HOME).await.registration();
        let code = bench.code_for(&number(n)).await;
        let (a, b) = tokio::join!(bench.confirm(&id, &code, HOME), bench.confirm(&id, &code, LOCAL));
        let mut answers = [a.status.as_u16(), b.status.as_u16()];
        answers.sort_unstable();
        assert_eq!(answers, [201, 410]);
    }
}

#[tokio::test]
async fn a_newer_code_voids_the_older_and_a_code_ends_after_five_minutes() {
    let bench = Bench::new();
    let older = bench.begin(&number(1), HOME).await.registration();
    let first = bench.code_for(&number(1)).await;
    bench.advance_s(60);
    let newer = bench.begin(&number(1), HOME).await.registration();
    let code = bench.code_for(&number(1)).await;
    assert_eq!(bench.confirm(&older, &first, HOME).await.refusal(), (410, "registration/expired", None));
    bench.advance_s(300);
    assert_eq!(bench.confirm(&newer, &code, HOME).await.refusal(), (410, "registration/expired", None));
}

#[tokio::test]
async fn a_clock_that_was_set_back_opens_no_limit_and_shuts_none_for_longer_than_its_window() {
    let bench = Bench::new();
    for _ in 0..5 {
        bench.begin(&number(1), HOME).await.registration();
        bench.advance_s(60);
    }
    let id = bench.begin(&number(2), HOME).await.registration();
    let code = bench.code_for(&number(2)).await;
    bench.advance_s(-400 * DAY_S);
    assert_eq!(bench.begin(&number(1), HOME).await.refusal(), (429, TEXTS, Some(HOUR_S)));
    assert_eq!(
        bench.confirm(&id, &code, HOME).await.code(),
        "registration/expired",
        "no code lives for a year"
    );
    assert_eq!(bench.begin(&number(2), HOME).await.refusal(), (429, TEXTS, Some(60)));
    bench.advance_s(60);
    bench.sign_in(&number(2)).await;
    bench.advance_s(HOUR_S - 60);
    bench.sign_in(&number(1)).await;
}

#[tokio::test]
async fn nothing_is_texted_while_the_store_is_away() {
    let mut bench = Bench::new();
    bench.store.close().await;
    let refused = bench.begin(&number(1), HOME).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (503, "store/unavailable"));
    assert!(refused.retry_after_s.is_some());
    bench.restart().await;
    assert!(bench.texts().await.is_empty());
}

#[tokio::test]
async fn only_numbers_with_the_operators_prefixes_are_texted() {
    let bench = Bench::new();
    for (number, code) in [
        ("+447400123456", "registration/number-not-served"),
        ("10086", "registration/number-unreadable"),
        ("+86138000000010000", "registration/number-unreadable"),
        ("", "registration/number-unreadable"),
    ] {
        let refused = bench.begin(number, HOME).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (422, code), "{number:?}");
    }
    assert!(bench.texts().await.is_empty());
}

#[tokio::test]
async fn more_consents_than_there_can_be_are_refused_and_leave_the_code_as_it_was() {
    let bench = Bench::new();
    let id = bench.begin(&number(1), HOME).await.registration();
    let code = bench.code_for(&number(1)).await;
    let path = format!("/v1/registrations/{id}/confirm");
    let body = |count: usize| json!({ "code": code, "consents": vec!["upload"; count] });
    let most = domain::limits::count(domain::limits::CONSENTS_GIVEN_MAX);
    let refused = bench.call("POST", &path, Some(body(most + 1)), HOME, None).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "request/invalid"));
    assert_eq!(bench.call("POST", &path, Some(body(most)), HOME, None).await.status, StatusCode::CREATED);
}
