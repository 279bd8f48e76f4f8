//! Accounts that upload and remove as fast as they may, to find out who is registered.

use axum::http::StatusCode;
use contacts::SignInLimits;
use domain::quota::Quota;
use serde_json::{Value, json};

use crate::bench::{Answer, Bench, HOUR_S, LOCAL, number};

const ACCOUNTS: u64 = 100;
/// A small bucket, so that it is used up a hundred times over in a test.
const QUOTA: Quota = Quota { at_once: 40, per_hour: 6 };
/// Those whose numbers are tried: some registered, and none of them lists an account of the attacker's.
const TRIED: std::ops::Range<u64> = 1_000..1_150;

fn loose() -> SignInLimits {
    SignInLimits { texts_per_hour: 1_000_000, ..SignInLimits::default() }
}

async fn sign_in(bench: &Bench, who: u64) -> String {
    let id = bench.begin(&number(who), LOCAL).await.registration();
    let code = bench.code_for(&number(who)).await;
    let body = json!({ "code": code, "consents": ["upload"] });
    let path = format!("/v1/registrations/{id}/confirm");
    bench.call("POST", &path, Some(body), LOCAL, None).await.body["token"].as_str().unwrap().to_owned()
}

async fn put(bench: &Bench, token: &str, numbers: &[String]) -> Answer {
    let body = json!({ "numbers": numbers, "confirm_shrink": true });
    bench.call("PUT", "/v1/book", Some(body), LOCAL, Some(token)).await
}

/// Everything the accounts are told in some days of trying, and how many numbers they tried.
async fn attack(registered: &[u64]) -> (Vec<(u16, Option<i64>, Value)>, usize) {
    let bench = Bench::with_quota(loose(), QUOTA);
    for who in registered {
        let token = sign_in(&bench, *who).await;
        // They list each other, and nobody of the attacker's.
        let friends: Vec<String> = registered.iter().take(30).map(|friend| number(*friend)).collect();
        assert_eq!(put(&bench, &token, &friends).await.status, StatusCode::OK);
    }
    let mut tokens = Vec::new();
    for account in 1..=ACCOUNTS {
        tokens.push(sign_in(&bench, account).await);
    }
    let (mut told, mut tried, mut next) = (Vec::new(), 0, TRIED.start);
    for round in 0..8_u64 {
        for token in &tokens {
            // As many as are left, found by halves as an attacker would; the next round begins with removing all.
            let mut count = if round == 0 { 40 } else { 16 };
            while count > 0 {
                let numbers: Vec<String> =
                    (0..count).map(|n| number(TRIED.start + (next + n - TRIED.start) % 150)).collect();
                let answer = put(&bench, token, &numbers).await;
                let fine = answer.status == StatusCode::OK;
                told.push((answer.status.as_u16(), answer.retry_after_s, without_id(answer.body)));
                if fine {
                    tried += numbers.len();
                    next = TRIED.start + (next + count - TRIED.start) % 150;
                    break;
                }
                count /= 2;
            }
            for path in ["/v1/matches", "/v1/book"] {
                let answer = bench.call("GET", path, None, LOCAL, Some(token)).await;
                told.push((answer.status.as_u16(), answer.retry_after_s, without_id(answer.body)));
            }
            assert_eq!(put(&bench, token, &[]).await.status, StatusCode::OK);
        }
        bench.advance_s(HOUR_S);
    }
    (told, tried)
}

fn without_id(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("request_id");
    }
    body
}

#[tokio::test]
async fn a_hundred_accounts_learn_nothing_of_numbers_that_do_not_list_them_and_try_few() {
    let all: Vec<u64> = TRIED.collect();
    let some: Vec<u64> = TRIED.filter(|who| who % 3 == 0).collect();
    let (nobody, tried) = attack(&[]).await;
    let (third, tried_too) = attack(&some).await;
    assert_eq!(tried, tried_too);
    assert!(nobody == third, "an answer differs when a third of those tried is registered");
    assert!(nobody == attack(&all).await.0, "an answer differs when all that are tried are registered");
    // 40 at once and 6 in each of the 7 hours that follow.
    let most = usize::try_from(ACCOUNTS * (40 + 7 * 6)).unwrap();
    assert!(tried <= most && tried > most / 2, "{tried} of {most}");
    assert!(nobody.iter().any(|(status, ..)| *status == 429), "the quota was never reached");
}

#[tokio::test]
async fn new_numbers_cost_and_known_ones_do_not_also_after_a_restart_and_after_leaving() {
    let mut bench = Bench::with_quota(loose(), QUOTA);
    let token = sign_in(&bench, 1).await;
    let numbers = |range: std::ops::Range<u64>| range.map(number).collect::<Vec<_>>();
    assert_eq!(put(&bench, &token, &numbers(100..140)).await.status, StatusCode::OK);
    let refused = put(&bench, &token, &numbers(100..141)).await;
    assert_eq!(refused.refusal(), (429, "quota/new-numbers", Some(600)));
    assert_eq!(bench.call("GET", "/v1/book", None, LOCAL, Some(&token)).await.body["size"], 40);
    assert_eq!(put(&bench, &token, &numbers(100..140)).await.status, StatusCode::OK, "the same again");
    let amend = json!({ "add": [number(141)], "remove": [number(100)] });
    let refused = bench.call("PATCH", "/v1/book", Some(amend.clone()), LOCAL, Some(&token)).await;
    assert_eq!(refused.refusal(), (429, "quota/new-numbers", Some(600)));
    bench.restart().await;
    let refused = bench.call("PATCH", "/v1/book", Some(amend.clone()), LOCAL, Some(&token)).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    bench.call("DELETE", "/v1/me", None, LOCAL, Some(&token)).await;
    bench.advance_s(60);
    let token = sign_in(&bench, 1).await;
    assert_eq!(
        put(&bench, &token, &numbers(100..101)).await.refusal(),
        (429, "quota/new-numbers", Some(540))
    );
    bench.advance_s(540);
    assert_eq!(put(&bench, &token, &numbers(100..101)).await.status, StatusCode::OK);
}
