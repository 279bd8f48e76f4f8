//! The worker: what is slow or broken holds up nothing else.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use store::StoreError;
use store::jobs::{Handler, Job, JobFailed, JobKind, Outcome, Worker};
use tokio::sync::Notify;

use crate::backends::Bench;

/// Counts runs; a job that says `wait` never ends, one that says `panic` panics.
#[derive(Default)]
struct Counting {
    done: AtomicUsize,
    more: Notify,
}

impl Handler for Counting {
    fn run<'a>(
        &'a self,
        job: &'a Job,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>> {
        Box::pin(async move {
            match job.payload::<String>()?.as_str() {
                "wait" => std::future::pending().await,
                "panic" => panic!("a handler that panics"),
                _ => {}
            }
            self.done.fetch_add(1, Ordering::SeqCst);
            self.more.notify_one();
            Ok(Outcome::Done)
        })
    }
}

async fn enqueue(bench: &Bench, kind: JobKind, payload: &'static str, count: usize) {
    let now = bench.world.now();
    let write =
        move |tx: &mut store::Tx<'_>| (0..count).try_for_each(|_| tx.jobs().enqueue(kind, &payload, now));
    bench.store.write::<_, StoreError, _>(write).await.unwrap();
}

/// Runs a worker until so many jobs are done.
async fn work(bench: &Bench, kinds: &[JobKind], count: usize) {
    let counting = Arc::new(Counting::default());
    let handlers = kinds.iter().map(|kind| (*kind, Arc::clone(&counting) as Arc<dyn Handler>)).collect();
    let worker = Worker::new(bench.store.clone(), bench.world.clone(), handlers);
    let done = async {
        while counting.done.load(Ordering::SeqCst) < count {
            counting.more.notified().await;
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(30), done);
    tokio::select! {
        () = worker.run(std::future::pending()) => {}
        done = done => done.expect("jobs wait behind one that never ends"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_never_ends_holds_up_no_other_job() {
    let bench = Bench::embedded();
    enqueue(&bench, JobKind::ForwardOrder, "wait", 1).await;
    enqueue(&bench, JobKind::ForwardOrder, "go", 40).await;
    work(&bench, &[JobKind::ForwardOrder], 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_whose_calls_never_end_holds_up_no_other_kind() {
    let bench = Bench::embedded();
    enqueue(&bench, JobKind::ForwardOrder, "wait", 40).await;
    enqueue(&bench, JobKind::ReadReply, "go", 40).await;
    work(&bench, &[JobKind::ForwardOrder, JobKind::ReadReply], 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_takes_no_other_job_with_it() {
    let bench = Bench::embedded();
    enqueue(&bench, JobKind::ForwardOrder, "panic", 1).await;
    enqueue(&bench, JobKind::ForwardOrder, "go", 40).await;
    work(&bench, &[JobKind::ForwardOrder], 40).await;
}
