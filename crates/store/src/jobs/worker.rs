//! Runs jobs as they come due.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::limits;
use domain::world::{World, after_seconds};
use jiff::Timestamp;
use tokio::task::{self, JoinError, JoinSet};

use super::{Job, JobKind};
use crate::error::{Kind, StoreError};
use crate::failpoints::{self, Point};
use crate::store::{Store, Tx};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The work is done; the worker removes the job.
    Done,
    /// The handler's own write has finished the job.
    Finished,
    /// Nothing to do yet: look again then. Does not count as a try.
    Later(Timestamp),
}

/// A run that failed and is to be tried again.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct JobFailed {
    what: &'static str,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl JobFailed {
    /// A failure and its cause; `what` carries no personal data.
    pub fn new(what: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { what, source: Some(source.into()) }
    }
}

impl From<StoreError> for JobFailed {
    fn from(error: StoreError) -> Self {
        Self::new("the store failed a job", error)
    }
}

/// Does the jobs of one kind; running one twice must change nothing more.
pub trait Handler: Send + Sync {
    /// Runs one job.
    fn run<'a>(
        &'a self,
        job: &'a Job,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>>;
}

/// Runs the jobs of the kinds it was given handlers for.
pub struct Worker {
    store: Store,
    world: World,
    handlers: BTreeMap<JobKind, Arc<dyn Handler>>,
}

/// Jobs of one kind that one worker runs side by side: a kind whose calls are slow holds up no other.
const SIDE_BY_SIDE: usize = 32;
/// How long a worker sleeps when nothing tells it to wake: another process may have added a job.
const NAP: Duration = Duration::from_secs(1);

/// The jobs in hand, and how many there are of each kind.
#[derive(Default)]
struct InHand {
    tasks: JoinSet<()>,
    kinds: HashMap<task::Id, JobKind>,
}

impl InHand {
    /// The kinds of which another job may be taken, and how many.
    fn free(&self, kinds: &[JobKind]) -> Vec<(JobKind, usize)> {
        let free = |kind| SIDE_BY_SIDE - self.kinds.values().filter(|one| **one == kind).count();
        kinds.iter().map(|kind| (*kind, free(*kind))).filter(|(_, free)| *free > 0).collect()
    }

    fn start(&mut self, worker: &Arc<Worker>, job: Job) {
        let (worker, kind) = (Arc::clone(worker), job.kind);
        let task = self.tasks.spawn(async move { worker.run_job(job).await });
        self.kinds.insert(task.id(), kind);
    }

    /// Waits for a job to end, for ever when there is none; those that have ended with it are counted out too.
    async fn ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.count_out(ended),
            None => return std::future::pending().await,
        }
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.count_out(ended);
        }
    }

    fn count_out(&mut self, ended: Result<(task::Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                // The lease ends by itself and the job runs again.
                tracing::error!(error = &error as &dyn std::error::Error, "a job's run has panicked");
                error.id()
            }
        };
        self.kinds.remove(&id);
    }
}

impl Worker {
    /// A worker for these handlers.
    pub fn new(store: Store, world: World, handlers: Vec<(JobKind, Arc<dyn Handler>)>) -> Self {
        Self { store, world, handlers: handlers.into_iter().collect() }
    }

    /// Runs until `stop` resolves; a job in hand is finished first.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let kinds: Vec<JobKind> = self.handlers.keys().copied().collect();
        let mut signal = self.store.jobs_signal();
        let mut stop = std::pin::pin!(stop);
        let (worker, mut in_hand) = (Arc::new(self), InHand::default());
        loop {
            signal.mark_unchanged();
            let free = in_hand.free(&kinds);
            for job in worker.take(&free).await {
                in_hand.start(&worker, job);
            }
            let nap = worker.nap(&in_hand.free(&kinds)).await;
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = in_hand.ended() => {}
                () = tokio::time::sleep(nap) => {}
                _ = signal.changed() => {}
            }
        }
        while !in_hand.tasks.is_empty() {
            in_hand.ended().await;
        }
    }

    /// Runs what is due now until nothing is; for tests, which then move the clock. Answers how many
    /// runs there were.
    ///
    /// # Errors
    /// The store's.
    pub async fn drain(&self) -> Result<usize, StoreError> {
        let kinds: Vec<_> = self.handlers.keys().map(|kind| (*kind, SIDE_BY_SIDE)).collect();
        let mut runs = 0;
        loop {
            let jobs = self.lease(&kinds).await?;
            if jobs.is_empty() {
                return Ok(runs);
            }
            runs += jobs.len();
            // One after the other: a test that repeats itself finds the same.
            for job in jobs {
                self.run_job(job).await;
            }
        }
    }

    async fn nap(&self, free: &[(JobKind, usize)]) -> Duration {
        let kinds: Vec<JobKind> = free.iter().map(|(kind, _)| *kind).collect();
        let next = self.store.read(move |view| view.jobs().next_due(&kinds)).await;
        let next = next.ok().and_then(|next| next.into_iter().map(|(_, due)| due).min());
        let Some(next) = next else { return NAP };
        let wait = next.duration_since(self.world.now());
        Duration::try_from(wait).unwrap_or(Duration::from_millis(1)).clamp(Duration::from_millis(1), NAP)
    }

    async fn take(&self, free: &[(JobKind, usize)]) -> Vec<Job> {
        self.lease(free).await.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "jobs could not be taken from the queue");
            Vec::new()
        })
    }

    async fn lease(&self, free: &[(JobKind, usize)]) -> Result<Vec<Job>, StoreError> {
        if free.is_empty() {
            return Ok(Vec::new());
        }
        let (kinds, free): (Vec<JobKind>, _) = (free.iter().map(|(kind, _)| *kind).collect(), free.to_vec());
        let now = self.world.now();
        // Looking costs a read, not a commit.
        let next = self.store.read(move |view| view.jobs().next_due(&kinds)).await?;
        let is_due = |kind: JobKind| next.iter().any(|(one, due)| *one == kind && *due <= now);
        let free: Vec<_> = free.into_iter().filter(|(kind, _)| is_due(*kind)).collect();
        if free.is_empty() {
            return Ok(Vec::new());
        }
        let write = move |tx: &mut Tx<'_>| {
            let mut leased = Vec::new();
            for (kind, count) in &free {
                leased.extend(tx.jobs().lease(&[*kind], *count)?);
            }
            leased.sort_by_key(|job| job.id);
            Ok(leased)
        };
        self.store.take(write).await
    }

    async fn run_job(&self, job: Job) {
        let Some(handler) = self.handlers.get(&job.kind).map(Arc::clone) else { return };
        let lease = Duration::from_secs(limits::JOB_LEASE_S.unsigned_abs());
        // A run past its lease may have a rival: it is given up, and its own write checks the rest.
        let run = async {
            failpoints::pass(Point::JobTaken).await?;
            let outcome = handler.run(&job).await?;
            failpoints::pass(Point::JobDone).await?;
            Ok(outcome)
        };
        let outcome = tokio::time::timeout(lease, run).await;
        let outcome = outcome.unwrap_or_else(|late| Err(JobFailed::new("a job outlived its lease", late)));
        let word = if outcome.is_ok() { "ok" } else { "failed" };
        metrics::counter!("job_runs_total", "kind" => job.kind.word(), "outcome" => word).increment(1);
        match self.settle(&job, outcome).await {
            // Its lease had ended and another run has it, or the run itself has dropped it: this one changes nothing.
            Err(error) if error.kind() == Kind::Superseded => {
                tracing::debug!(job.kind = job.kind.word(), job.id = job.id, "a job is another run's by now");
            }
            // The lease ends by itself and the job runs again.
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a job's end could not be written down"
                );
            }
            Ok(()) => {}
        }
        // Nobody waits here for an error.
        let _ = failpoints::pass(Point::JobSettled).await;
    }

    async fn settle(&self, job: &Job, outcome: Result<Outcome, JobFailed>) -> Result<(), StoreError> {
        let (job, now) = (job.clone(), self.world.now());
        match outcome {
            Ok(Outcome::Finished) => Ok(()),
            Ok(Outcome::Done) => self.store.write(move |tx| tx.jobs().finish(&job)).await,
            Ok(Outcome::Later(at)) => self.store.write(move |tx| tx.jobs().give_back(&job, at, false)).await,
            Err(error) => {
                let last = job.attempts + 1 >= limits::JOB_ATTEMPTS_MAX;
                let pause = (1_i64 << job.attempts.clamp(0, 6)).min(limits::JOB_BACKOFF_S_MAX);
                let (at, given) = (after_seconds(now, pause), job.clone());
                let given = self.store.write(move |tx| tx.jobs().give_back(&given, at, true)).await;
                // A run that lost its job has not failed it.
                if given.as_ref().err().map(StoreError::kind) != Some(Kind::Superseded) {
                    report(&job, &error, last);
                }
                given
            }
        }
    }
}

fn report(job: &Job, error: &JobFailed, last: bool) {
    let (kind, id) = (job.kind.word(), job.id);
    let error = error as &dyn std::error::Error;
    if last {
        tracing::error!(
            job.kind = kind,
            job.id = id,
            error,
            "a job failed for the last time and was set aside"
        );
    } else {
        tracing::warn!(
            job.kind = kind,
            job.id = id,
            job.attempts = job.attempts,
            error,
            "a job failed and will run again"
        );
    }
}
