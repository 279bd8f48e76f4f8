//! Jobs: work committed with the change that causes it, run at least once.

mod worker;

use domain::limits;
use domain::world::after_seconds;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Kind, StoreError};
use crate::sql::{Row, params};
use crate::store::room;

pub use worker::{Handler, JobFailed, Outcome, Worker};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal;)*) => {
        /// What is to be done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum JobKind {
            $($(#[$doc])* $kind,)*
        }

        impl JobKind {
            /// The word at rest and in metrics.
            pub fn word(self) -> &'static str {
                match self { $(Self::$kind => $word,)* }
            }

            fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    /// Exchange: hand an order to the platform.
    ForwardOrder = "forward_order";
    /// Exchange: ask the platform to cancel an order.
    CancelOrder = "cancel_order";
    /// Exchange: bring one subscriber's subscriptions in step with the platform.
    SyncSubscriptions = "sync_subscriptions";
    /// Exchange: bring the catalogue in step with the platform.
    SyncCatalogue = "sync_catalogue";
    /// Exchange: ask the platform about what its events may have missed.
    Compare = "compare";
    /// Platform: end a confirmation that nobody answered, or whose text was never taken.
    ExpireConfirmation = "expire_confirmation";
    /// Platform: act on a text that came in.
    ReadReply = "read_reply";
    /// Platform: a text with a reference was accepted, refused or lost.
    TextSettled = "text_settled";
    /// Platform: tell one listener at the hub what it has not heard.
    DeliverHubEvents = "deliver_hub_events";
    /// Exchange: have the platform erase a customer who has left.
    EraseCustomer = "erase_customer";
    /// Contacts: forget what nothing needs any more.
    UpkeepContacts = "upkeep_contacts";
    /// Exchange: the same.
    UpkeepExchange = "upkeep_exchange";
    /// Platform: the same.
    UpkeepPlatform = "upkeep_platform";
    /// Sms: the same.
    UpkeepTexts = "upkeep_texts";
    /// Platform: hand one payer's charge events to the charging system.
    DeliverCharges = "deliver_charges";
    /// Platform: take subscriptions whose period has ended into the next one.
    RenewProducts = "renew_products";
    /// Platform: tell one provider what to start and what to stop.
    CallProvider = "call_provider";
}

room! {
    /// Reads the queue.
    JobsView,
    /// Adds to the queue and takes from it.
    JobsTx
}

/// A job in the hands of a worker.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its row.
    pub id: i64,
    /// What is to be done.
    pub kind: JobKind,
    payload: String,
    /// Runs before this one.
    pub attempts: i64,
    round: i64,
    fence: i64,
}

impl Job {
    /// Reads what the job is about.
    ///
    /// # Errors
    /// Damaged, when it is not what was enqueued.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_str(&self.payload).map_err(|error| StoreError::new(Kind::Damaged, error))
    }
}

impl JobsTx<'_> {
    /// Adds a job, due at `run_at`.
    ///
    /// # Errors
    /// The store's.
    pub fn enqueue(
        &mut self,
        kind: JobKind,
        payload: &impl Serialize,
        run_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.add(kind, None, payload, run_at)
    }

    /// Adds a job unless one of this kind and topic waits already: that one then comes due no later
    /// than `run_at`, and once more if it is running just now.
    ///
    /// # Errors
    /// The store's.
    pub fn enqueue_topic(
        &mut self,
        kind: JobKind,
        topic: &str,
        payload: &impl Serialize,
        run_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.add(kind, Some(topic), payload, run_at)
    }

    fn add(
        &mut self,
        kind: JobKind,
        topic: Option<&str>,
        payload: &impl Serialize,
        run_at: Timestamp,
    ) -> Result<(), StoreError> {
        let payload =
            serde_json::to_string(payload).map_err(|error| StoreError::new(Kind::Internal, error))?;
        if let Some(topic) = topic {
            // A write that causes the same several times over adds it once.
            let same = (kind, topic.to_owned(), payload.clone(), run_at);
            if self.effects.topics.contains(&same) {
                return Ok(());
            }
            self.effects.topics.push(same);
        }
        self.view.sql.execute(
            "INSERT INTO job (kind, topic, payload, run_at, attempts, round, leased_until, dead)
             VALUES ($1, $2, $3, $4, 0, 0, 0, 0)
             ON CONFLICT (kind, topic) DO UPDATE SET round = job.round + 1, dead = 0, attempts = 0,
               payload = excluded.payload,
               run_at = CASE WHEN job.run_at < excluded.run_at THEN job.run_at ELSE excluded.run_at END",
            params![kind.word(), topic, payload, run_at],
        )?;
        self.effects.jobs = true;
        Ok(())
    }

    /// Drops the jobs of this kind and topic.
    ///
    /// # Errors
    /// The store's.
    pub fn drop_topic(&mut self, kind: JobKind, topic: &str) -> Result<(), StoreError> {
        self.effects.topics.clear();
        self.view
            .sql
            .execute("DELETE FROM job WHERE kind = $1 AND topic = $2", params![kind.word(), topic])?;
        Ok(())
    }

    /// Makes a job of this kind and topic run once more after the run it is in, if it is in one.
    ///
    /// # Errors
    /// The store's.
    pub fn rerun_topic(&mut self, kind: JobKind, topic: &str) -> Result<(), StoreError> {
        self.view.sql.execute(
            "UPDATE job SET round = round + 1 WHERE kind = $1 AND topic = $2",
            params![kind.word(), topic],
        )?;
        Ok(())
    }

    /// Takes up to `count` jobs of these kinds that are due; they are the caller's until the lease ends, and
    /// beyond it until another takes them. Call it in [`Store::take`](crate::Store::take), where several may take.
    ///
    /// # Errors
    /// The store's.
    pub fn lease(&mut self, kinds: &[JobKind], count: usize) -> Result<Vec<Job>, StoreError> {
        let now = self.world.now();
        let until = after_seconds(now, limits::JOB_LEASE_S);
        let mut leased = Vec::new();
        for kind in kinds {
            let free = count.saturating_sub(leased.len());
            let rows = self.view.sql.query(
                "UPDATE job SET leased_until = $1, fence = fence + 1 WHERE id IN (
                   SELECT id FROM job WHERE dead = 0 AND kind = $2 AND run_at <= $3 AND leased_until <= $4
                   ORDER BY run_at, id LIMIT $5 {skip locked})
                 RETURNING id, kind, payload, attempts, round, fence",
                params![until, kind.word(), now, now, free],
            )?;
            for row in &rows {
                leased.push(read_job(row)?);
            }
        }
        leased.sort_by_key(|job| job.id);
        Ok(leased)
    }

    /// Makes sure that a job is still the caller's, and stays so until this write is committed. Call it first
    /// in a write of the job's work that does not end the job.
    ///
    /// # Errors
    /// Superseded, when its lease has ended and another has it or had it: let nothing of this write stand.
    pub fn hold(&mut self, job: &Job) -> Result<(), StoreError> {
        let held = self
            .view
            .sql
            .query_one("SELECT 1 FROM job WHERE id = $1 AND fence = $2 {hold}", params![job.id, job.fence])?;
        held.map(drop).ok_or_else(superseded)
    }

    /// Removes a job that is done; one whose topic was enqueued again meanwhile is freed for another
    /// run instead. Call it inside the write that does the job's work.
    ///
    /// # Errors
    /// Superseded, as in [`JobsTx::hold`].
    pub fn finish(&mut self, job: &Job) -> Result<(), StoreError> {
        let removed = self.view.sql.execute(
            "DELETE FROM job WHERE id = $1 AND fence = $2 AND round = $3",
            params![job.id, job.fence, job.round],
        )?;
        if removed == 0 { self.free(job) } else { Ok(()) }
    }

    /// Ends the lease of a job that was enqueued again meanwhile: that has its own time, and no failures yet.
    fn free(&mut self, job: &Job) -> Result<(), StoreError> {
        let freed = self.view.sql.execute(
            "UPDATE job SET leased_until = 0 WHERE id = $1 AND fence = $2",
            params![job.id, job.fence],
        )?;
        self.effects.jobs = true;
        if freed == 0 { Err(superseded()) } else { Ok(()) }
    }

    /// Gives a job back, to run again at `run_at`; a failed run counts, and too many after one another set it aside.
    ///
    /// # Errors
    /// Superseded, as in [`JobsTx::hold`].
    pub fn give_back(&mut self, job: &Job, run_at: Timestamp, failed: bool) -> Result<(), StoreError> {
        let attempts = if failed { job.attempts + 1 } else { 0 };
        let given = self.view.sql.execute(
            "UPDATE job SET leased_until = 0, run_at = $1, attempts = $2, dead = $3
             WHERE id = $4 AND fence = $5 AND round = $6",
            params![run_at, attempts, attempts >= limits::JOB_ATTEMPTS_MAX, job.id, job.fence, job.round],
        )?;
        if given == 0 {
            return self.free(job);
        }
        self.effects.jobs = true;
        Ok(())
    }
}

/// A job that failed too often and waits for the operator.
#[derive(Debug, Clone)]
pub struct DeadJob {
    /// Its row.
    pub id: i64,
    /// What is to be done.
    pub kind: JobKind,
    /// What it is about: JSON of ids.
    pub payload: String,
    /// Runs so far.
    pub attempts: i64,
    /// When it would have run next.
    pub run_at: Timestamp,
}

impl JobsTx<'_> {
    /// Puts a job that was set aside back into the queue; `false` when there is no such one.
    ///
    /// # Errors
    /// The store's.
    pub fn retry_dead(&mut self, id: i64) -> Result<bool, StoreError> {
        let back = self.view.sql.execute(
            "UPDATE job SET dead = 0, attempts = 0, leased_until = 0, run_at = $1 WHERE id = $2 AND dead = 1",
            params![self.world.now(), id],
        )?;
        self.effects.jobs |= back == 1;
        Ok(back == 1)
    }

    /// Removes a job that was set aside.
    ///
    /// # Errors
    /// The store's.
    pub fn remove_dead(&mut self, id: i64) -> Result<Option<DeadJob>, StoreError> {
        let row = self.view.sql.query_one(
            "DELETE FROM job WHERE id = $1 AND dead = 1 RETURNING id, kind, payload, attempts, run_at",
            params![id],
        )?;
        row.map(|row| read_dead(&row)).transpose()
    }
}

impl JobsView<'_> {
    /// The jobs that were set aside after an id, the oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn list_dead(&mut self, after: i64, limit: usize) -> Result<Vec<DeadJob>, StoreError> {
        let rows = self.sql.query(
            "SELECT id, kind, payload, attempts, run_at FROM job WHERE dead = 1 AND id > $1 ORDER BY id LIMIT $2",
            params![after, limit],
        )?;
        rows.iter().map(read_dead).collect()
    }

    /// Whether a job of this kind and topic waits or runs.
    ///
    /// # Errors
    /// The store's.
    pub fn is_waiting(&mut self, kind: JobKind, topic: &str) -> Result<bool, StoreError> {
        let row = self.sql.query_one(
            "SELECT 1 FROM job WHERE kind = $1 AND topic = $2 AND dead = 0",
            params![kind.word(), topic],
        )?;
        Ok(row.is_some())
    }

    /// Since when the job that is due the longest waits.
    ///
    /// # Errors
    /// The store's.
    pub fn oldest_due(&mut self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let row = self
            .sql
            .query_one("SELECT MIN(run_at) FROM job WHERE dead = 0 AND run_at <= $1", params![now])?;
        row.map_or(Ok(None), |row| row.opt_time(0))
    }
}

fn read_dead(row: &Row) -> Result<DeadJob, StoreError> {
    Ok(DeadJob {
        id: row.int(0)?,
        kind: JobKind::parse(row.text(1)?).ok_or_else(|| StoreError::damaged("a job of an unknown kind"))?,
        payload: row.text(2)?.to_owned(),
        attempts: row.int(3)?,
        run_at: row.time(4)?,
    })
}

impl JobsView<'_> {
    /// When the next job of each of these kinds comes due; those of which none waits are left out.
    ///
    /// # Errors
    /// The store's.
    pub fn next_due(&mut self, kinds: &[JobKind]) -> Result<Vec<(JobKind, Timestamp)>, StoreError> {
        let mut next = Vec::new();
        for kind in kinds {
            // Only the first by their time: those of them that somebody works on are few, and a kind may have
            // as many that wait for their time as there are open orders.
            let row = self.sql.query_one(
                "SELECT MIN(due) FROM (SELECT CASE WHEN run_at > leased_until THEN run_at ELSE leased_until END AS due
                   FROM job WHERE dead = 0 AND kind = $1 ORDER BY run_at LIMIT 256) AS first_due",
                params![kind.word()],
            )?;
            let due = row.map_or(Ok(None), |row| row.opt_time(0))?;
            next.extend(due.map(|due| (*kind, due)));
        }
        Ok(next)
    }

    /// How many jobs are due or running, how many wait for their time, and how many are set aside.
    ///
    /// # Errors
    /// The store's.
    pub fn counts(&mut self, now: Timestamp) -> Result<JobCounts, StoreError> {
        let row = self.sql.query_one(
            "SELECT CAST(COALESCE(SUM(CASE WHEN dead = 0 AND run_at <= $1 THEN 1 ELSE 0 END), 0) AS BIGINT),
               CAST(COALESCE(SUM(CASE WHEN dead = 0 AND run_at > $1 THEN 1 ELSE 0 END), 0) AS BIGINT),
               CAST(COALESCE(SUM(dead), 0) AS BIGINT) FROM job",
            params![now],
        )?;
        let Some(row) = row else { return Ok(JobCounts::default()) };
        Ok(JobCounts { due: row.int(0)?, scheduled: row.int(1)?, set_aside: row.int(2)? })
    }
}

/// The queue in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobCounts {
    /// Due or running.
    pub due: i64,
    /// Waiting for their time.
    pub scheduled: i64,
    /// Failed too often; the operator must look.
    pub set_aside: i64,
}

fn read_job(row: &Row) -> Result<Job, StoreError> {
    Ok(Job {
        id: row.int(0)?,
        kind: JobKind::parse(row.text(1)?).ok_or_else(|| StoreError::damaged("a job of an unknown kind"))?,
        payload: row.text(2)?.to_owned(),
        attempts: row.int(3)?,
        round: row.int(4)?,
        fence: row.int(5)?,
    })
}

fn superseded() -> StoreError {
    StoreError::new(Kind::Superseded, "its lease has ended, and another run has it or had it")
}
