//! Laws of the job queue.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::world::after_seconds;
use store::jobs::{Job, JobKind};
use store::{Kind, StoreError, Tx};

use crate::backends::{Bench, laws};

laws! {
    a_job_is_leased_once_until_its_lease_ends
    a_finished_job_never_comes_back
    one_topic_waits_once_and_runs_again_when_enqueued_while_running
    a_job_is_not_due_before_its_time
    a_run_whose_job_another_has_taken_since_writes_nothing
    a_lease_that_has_ended_is_good_until_another_takes_the_job
    those_who_take_from_one_queue_take_each_job_once_and_never_in_vain
}

const KIND: JobKind = JobKind::ForwardOrder;

async fn enqueue(bench: &Bench, topic: Option<&'static str>, in_s: i64) {
    let at = after_seconds(bench.world.now(), in_s);
    let write = move |tx: &mut Tx<'_>| match topic {
        Some(topic) => tx.jobs().enqueue_topic(KIND, topic, &"payload", at),
        None => tx.jobs().enqueue(KIND, &"payload", at),
    };
    bench.store.write::<_, StoreError, _>(write).await.unwrap();
}

async fn lease(bench: &Bench) -> Vec<Job> {
    bench.store.write::<_, StoreError, _>(|tx| tx.jobs().lease(&[KIND], 10)).await.unwrap()
}

async fn finish(bench: &Bench, job: &Job) {
    let job = job.clone();
    bench.store.write::<_, StoreError, _>(move |tx| tx.jobs().finish(&job)).await.unwrap();
}

async fn a_job_is_leased_once_until_its_lease_ends(bench: Bench) {
    enqueue(&bench, None, 0).await;
    assert_eq!(lease(&bench).await.len(), 1);
    assert!(lease(&bench).await.is_empty());
    bench.clock.advance_s(domain::limits::JOB_LEASE_S);
    assert_eq!(lease(&bench).await[0].payload::<String>().unwrap(), "payload");
}

async fn a_finished_job_never_comes_back(bench: Bench) {
    enqueue(&bench, None, 0).await;
    finish(&bench, &lease(&bench).await[0]).await;
    bench.clock.advance_s(domain::limits::JOB_LEASE_S * 2);
    assert!(lease(&bench).await.is_empty());
}

async fn one_topic_waits_once_and_runs_again_when_enqueued_while_running(bench: Bench) {
    enqueue(&bench, Some("topic"), 0).await;
    enqueue(&bench, Some("topic"), 0).await;
    let leased = lease(&bench).await;
    assert_eq!(leased.len(), 1);
    enqueue(&bench, Some("topic"), 0).await;
    finish(&bench, &leased[0]).await;
    let again = lease(&bench).await;
    assert_eq!(again.len(), 1);
    finish(&bench, &again[0]).await;
    assert!(lease(&bench).await.is_empty());
}

async fn a_job_is_not_due_before_its_time(bench: Bench) {
    enqueue(&bench, None, 60).await;
    assert!(lease(&bench).await.is_empty());
    let next = bench.store.read::<_, StoreError, _>(|view| view.jobs().next_due(&[KIND])).await.unwrap();
    assert_eq!(next, [(KIND, after_seconds(bench.world.now(), 60))]);
    bench.clock.advance_s(60);
    assert_eq!(lease(&bench).await.len(), 1);
}

async fn count(bench: &Bench) -> i64 {
    let now = bench.world.now();
    let counts = bench.store.read::<_, StoreError, _>(move |view| view.jobs().counts(now)).await.unwrap();
    counts.due + counts.scheduled
}

/// What a run does with its job at the end of its write.
#[derive(Debug, Clone, Copy)]
enum End {
    Hold,
    Finish,
    GiveBack(bool),
}

/// Runs a write of a job's work, which adds another job; how it ended.
async fn work(
    bench: &Bench,
    end: impl Fn(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
) -> Option<Kind> {
    let now = bench.world.now();
    let write = move |tx: &mut Tx<'_>| {
        tx.jobs().enqueue(JobKind::ReadReply, &"the effect", now)?;
        end(tx)
    };
    bench.store.write::<_, StoreError, _>(write).await.err().map(|error| error.kind())
}

async fn a_run_whose_job_another_has_taken_since_writes_nothing(bench: Bench) {
    for topic in [None, Some("topic")] {
        enqueue(&bench, topic, 0).await;
        let mine = lease(&bench).await.remove(0);
        bench.clock.advance_s(domain::limits::JOB_LEASE_S);
        let theirs = lease(&bench).await.remove(0);
        if topic.is_some() {
            // Enqueued again meanwhile: that must not be mistaken for a lease.
            enqueue(&bench, topic, 0).await;
        }
        let before = count(&bench).await;
        let again = bench.world.now();
        for end in [End::Hold, End::Finish, End::GiveBack(true), End::GiveBack(false)] {
            let mine = mine.clone();
            let ended = work(&bench, move |tx| match end {
                End::Hold => tx.jobs().hold(&mine),
                End::Finish => tx.jobs().finish(&mine),
                End::GiveBack(failed) => tx.jobs().give_back(&mine, again, failed),
            });
            assert_eq!(ended.await, Some(Kind::Superseded), "{end:?}");
        }
        assert_eq!(count(&bench).await, before, "nothing was added or taken away");
        assert!(lease(&bench).await.is_empty(), "the other still has it");
        let held = theirs.clone();
        assert_eq!(work(&bench, move |tx| tx.jobs().hold(&held)).await, None);
        finish(&bench, &theirs).await;
        // Done, and not a second time.
        assert_eq!(work(&bench, move |tx| tx.jobs().finish(&mine)).await, Some(Kind::Superseded));
        for job in lease(&bench).await {
            finish(&bench, &job).await;
        }
    }
}

async fn a_lease_that_has_ended_is_good_until_another_takes_the_job(bench: Bench) {
    enqueue(&bench, None, 0).await;
    let job = lease(&bench).await.remove(0);
    bench.clock.advance_s(domain::limits::JOB_LEASE_S * 3);
    let held = job.clone();
    assert_eq!(work(&bench, move |tx| tx.jobs().hold(&held)).await, None);
    finish(&bench, &job).await;
    assert!(lease(&bench).await.is_empty());
}

async fn those_who_take_from_one_queue_take_each_job_once_and_never_in_vain(bench: Bench) {
    const JOBS: usize = 600;
    let now = bench.world.now();
    let fill = move |tx: &mut Tx<'_>| (0..JOBS).try_for_each(|_| tx.jobs().enqueue(KIND, &"payload", now));
    bench.store.write::<_, StoreError, _>(fill).await.unwrap();
    let (runs, bench) = (Arc::new(AtomicUsize::new(0)), Arc::new(bench));
    let takers = (0..8).map(|_| {
        let (bench, runs) = (Arc::clone(&bench), Arc::clone(&runs));
        tokio::spawn(async move {
            let (mut taken, mut takings) = (Vec::new(), 0);
            loop {
                let runs = Arc::clone(&runs);
                let take = move |tx: &mut Tx<'_>| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    tx.jobs().lease(&[KIND], 7)
                };
                takings += 1;
                let jobs = bench.store.take::<_, StoreError, _>(take).await.unwrap();
                if jobs.is_empty() {
                    return (taken, takings);
                }
                for job in jobs {
                    taken.push(job.id);
                    // Their own writes come in between, as with workers.
                    finish(&bench, &job).await;
                }
            }
        })
    });
    let mut all = Vec::new();
    let mut takings = 0;
    for taker in takers.collect::<Vec<_>>() {
        let (taken, count) = taker.await.unwrap();
        all.extend(taken);
        takings += count;
    }
    let each: BTreeSet<i64> = all.iter().copied().collect();
    assert_eq!((all.len(), each.len()), (JOBS, JOBS), "each job was taken, and once");
    assert_eq!(runs.load(Ordering::SeqCst), takings, "no taking was run again because of another");
}
