//! Laws of the limiters of signing in.

use domain::key::ContactKey;
use domain::limiter::Rule;
use domain::quota::Quota;
use domain::world::after_seconds;
use jiff::Timestamp;
use store::StoreError;
use store::contacts::Counted;

use crate::backends::{Bench, laws, number};

laws! {
    a_limiter_is_shut_by_as_many_as_are_allowed_and_opens_when_the_first_leaves
    what_is_counted_for_one_is_not_counted_for_another
    many_hits_of_one_minute_share_a_row_and_count_each
    hits_that_lie_ahead_are_moved_to_the_present
    parallel_hits_are_all_counted
    a_limiter_counts_on_after_reopening_and_after_the_person_left
    a_quota_is_not_overdrawn_by_parallel_uploads_and_each_has_their_own
}

const RULE: Rule = Rule { max: 3, window_s: 3_600 };

async fn hit(bench: &Bench, counted: Counted<'static>) {
    bench.store.write::<_, StoreError, _>(move |tx| tx.contacts().count_hit(counted)).await.unwrap();
}

async fn next(bench: &Bench, counted: Counted<'static>) -> Option<Timestamp> {
    let ask = move |tx: &mut store::Tx<'_>| tx.contacts().next_allowed(counted, &[RULE]);
    bench.store.write::<_, StoreError, _>(ask).await.unwrap()
}

fn key(bench: &Bench, n: u64) -> ContactKey {
    bench.store.keys().contact_key(number(n))
}

async fn a_limiter_is_shut_by_as_many_as_are_allowed_and_opens_when_the_first_leaves(bench: Bench) {
    let texts = Counted::TextsTo(key(&bench, 1));
    let began = bench.world.now();
    for _ in 0..3 {
        assert_eq!(next(&bench, texts).await, None);
        hit(&bench, texts).await;
        bench.clock.advance_s(10);
    }
    assert_eq!(next(&bench, texts).await, Some(after_seconds(began, 3_600)));
    bench.clock.advance_s(3_569);
    assert!(next(&bench, texts).await.is_some());
    bench.clock.advance_s(1);
    assert_eq!(next(&bench, texts).await, None);
}

async fn what_is_counted_for_one_is_not_counted_for_another(bench: Bench) {
    let (one, two) = (key(&bench, 1), key(&bench, 2));
    for _ in 0..3 {
        hit(&bench, Counted::WrongForFrom(one, b"here")).await;
    }
    assert!(next(&bench, Counted::WrongForFrom(one, b"here")).await.is_some());
    for other in [
        Counted::WrongForFrom(one, b"there"),
        Counted::WrongForFrom(two, b"here"),
        Counted::WrongFor(one),
        Counted::WrongFrom(b"here"),
        Counted::TextsTo(one),
        Counted::TextsFrom(b"here"),
        Counted::Texts,
    ] {
        assert_eq!(next(&bench, other).await, None);
    }
}

async fn many_hits_of_one_minute_share_a_row_and_count_each(bench: Bench) {
    let began = bench.world.now();
    hit(&bench, Counted::Texts).await;
    bench.clock.advance_s(59);
    hit(&bench, Counted::Texts).await;
    assert_eq!(next(&bench, Counted::Texts).await, None);
    hit(&bench, Counted::Texts).await;
    assert_eq!(next(&bench, Counted::Texts).await, Some(after_seconds(began, 3_660)));
    bench.clock.advance_s(1);
    hit(&bench, Counted::Texts).await;
    assert_eq!(next(&bench, Counted::Texts).await, Some(after_seconds(began, 3_660)), "a row of its own");
    bench.clock.advance_s(3_600);
    assert_eq!(next(&bench, Counted::Texts).await, None);
}

async fn hits_that_lie_ahead_are_moved_to_the_present(bench: Bench) {
    let texts = Counted::TextsFrom(b"here");
    for _ in 0..3 {
        hit(&bench, texts).await;
    }
    bench.clock.advance_s(-86_400 * 400);
    let back = bench.world.now();
    assert_eq!(next(&bench, texts).await, Some(after_seconds(back, 3_600)), "nothing is opened");
    bench.clock.advance_s(3_600);
    assert_eq!(next(&bench, texts).await, None, "nor shut for as long as the clock was wrong");
}

async fn parallel_hits_are_all_counted(bench: Bench) {
    let mut hits = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = bench.store.clone();
        hits.spawn(async move {
            // As the role does: asked and counted in one write.
            store
                .write::<_, StoreError, _>(|tx| {
                    let mut contacts = tx.contacts();
                    let shut = contacts.next_allowed(Counted::Texts, &[RULE])?.is_some();
                    if !shut {
                        contacts.count_hit(Counted::Texts)?;
                    }
                    Ok(!shut)
                })
                .await
                .unwrap()
        });
    }
    let passed = hits.join_all().await.into_iter().filter(|passed| *passed).count();
    assert_eq!(passed, 3);
}

async fn a_limiter_counts_on_after_reopening_and_after_the_person_left(bench: Bench) {
    let one = key(&bench, 1);
    for _ in 0..3 {
        hit(&bench, Counted::WrongFor(one)).await;
    }
    bench.store.write::<_, StoreError, _>(move |tx| tx.contacts().erase_subscriber(one)).await.unwrap();
    let bench = bench.reopen().await;
    assert!(next(&bench, Counted::WrongFor(one)).await.is_some());
}

async fn a_quota_is_not_overdrawn_by_parallel_uploads_and_each_has_their_own(bench: Bench) {
    const QUOTA: Quota = Quota { at_once: 50, per_hour: 6 };
    let take = async |who: ContactKey, count: usize| {
        let take = move |tx: &mut store::Tx<'_>| tx.contacts().take_new_numbers(who, count, &QUOTA);
        bench.store.write::<_, StoreError, _>(take).await.unwrap()
    };
    let (one, two) = (key(&bench, 1), key(&bench, 2));
    let waits = futures::future::join_all((0..20).map(|_| take(one, 7))).await;
    assert_eq!(waits.iter().filter(|wait| wait.is_none()).count(), 7, "seven times seven are 49");
    assert_eq!(take(one, 1).await, None);
    assert_eq!(take(one, 1).await, Some(after_seconds(bench.world.now(), 600)));
    assert_eq!(take(one, 0).await, None);
    assert_eq!(take(two, 50).await, None);
}
