//! Laws of the job queue.

use domain::world::after_seconds;
use store::StoreError;
use store::jobs::{Job, JobKind};

use crate::backends::{Bench, laws};

laws! {
    a_job_is_leased_once_until_its_lease_ends
    a_finished_job_never_comes_back
    one_topic_waits_once_and_runs_again_when_enqueued_while_running
    a_job_is_not_due_before_its_time
}

const KIND: JobKind = JobKind::ForwardOrder;

async fn enqueue(bench: &Bench, topic: Option<&'static str>, in_s: i64) {
    let at = after_seconds(bench.world.now(), in_s);
    let write = move |tx: &mut store::Tx<'_>| match topic {
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
