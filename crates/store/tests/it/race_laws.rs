//! Laws of matching under real parallelism: what two people do at the same moment ends as if one of
//! them had done it first.

use std::collections::BTreeSet;
use std::sync::Arc;

use store::{StoreError, Tx};
use tokio::sync::Barrier;

use crate::backends::{Bench, laws};
use crate::match_model::{Cast, Step, Verb, wrong_matches};

laws! {
    thousands_of_pairs_who_upload_at_the_same_moment_all_match
    whatever_two_people_do_at_the_same_moment_the_rule_holds_afterwards
}

/// Pairs at work side by side: as many as PostgreSQL has connections here.
const SIDE_BY_SIDE: u64 = 16;

/// Registers a pair, then lets each of the two do their part at the same moment.
async fn both(bench: &Bench, first: u64, before: Vec<Step>, parts: [Vec<Step>; 2]) -> Cast {
    let cast = Cast::new(bench, first, 2);
    run(bench, &cast, [vec![(0, Verb::Register), (1, Verb::Register)], before].concat(), None).await;
    let start = Arc::new(Barrier::new(2));
    let [one, two] = parts;
    tokio::join!(
        run(bench, &cast, one, Some(Arc::clone(&start))),
        run(bench, &cast, two, Some(Arc::clone(&start)))
    );
    cast
}

/// Does steps one after the other, each in a write of its own.
async fn run(bench: &Bench, cast: &Cast, steps: Vec<Step>, start: Option<Arc<Barrier>>) {
    if let Some(start) = start {
        start.wait().await;
    }
    for step in steps {
        let (cast, chance) = (cast.clone(), bench.world.bytes());
        loop {
            let cast = cast.clone();
            let write = move |tx: &mut Tx<'_>| cast.act(tx, step, chance).map(drop);
            match bench.store.write::<_, StoreError, _>(write).await {
                Ok(()) => break,
                // The store says so when others came first each time; a caller tries again.
                Err(error) if error.is_retryable() => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

/// Two tasks a pair, so that they truly run beside each other.
async fn pairs<F, Fut>(bench: Bench, count: u64, mut act: F) -> Bench
where
    F: FnMut(Arc<Bench>, u64) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let bench = Arc::new(bench);
    let mut running = tokio::task::JoinSet::new();
    for pair in 0..count {
        if running.len() as u64 >= SIDE_BY_SIDE {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(act(Arc::clone(&bench), 2 * pair + 1));
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    Arc::into_inner(bench).expect("every pair is done")
}

async fn thousands_of_pairs_who_upload_at_the_same_moment_all_match(bench: Bench) {
    let bench = pairs(bench, 2_000, |bench, first| async move {
        let parts = [vec![(0, Verb::Upload(1))], vec![(1, Verb::Upload(0))]];
        let cast = both(&bench, first, Vec::new(), parts).await;
        assert_eq!(cast.seen(&bench).await, BTreeSet::from([(0, 1), (1, 0)]), "both see each other");
    })
    .await;
    assert_eq!(wrong_matches(&bench).await, (0, 0));
}

async fn whatever_two_people_do_at_the_same_moment_the_rule_holds_afterwards(bench: Bench) {
    let bench = pairs(bench, 600, |bench, first| async move {
        let turn = usize::try_from(first / 2).unwrap();
        let matched = vec![(0, Verb::Upload(1)), (1, Verb::Upload(0))];
        let before =
            if turn.is_multiple_of(2) { matched } else { vec![(0, Verb::Hide(1)), (1, Verb::Upload(0))] };
        let one = [Verb::Upload(1), Verb::Show(1), Verb::Add(1), Verb::Remove(1)][turn / 2 % 4];
        let two = [Verb::Hide(0), Verb::Leave, Verb::Forget, Verb::Upload(0), Verb::UploadNobody][turn % 5];
        let again = [Verb::Hide(1), Verb::Upload(1), Verb::Show(1)][turn % 3];
        both(&bench, first, before, [vec![(0, one), (0, again)], vec![(1, two)]]).await;
    })
    .await;
    assert_eq!(wrong_matches(&bench).await, (0, 0));
}
