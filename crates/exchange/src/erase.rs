//! The job that has the platform erase a customer who has left.

use std::future::Future;
use std::pin::Pin;

use domain::world::after_seconds;
use serde::Deserialize;
use store::StoreError;
use store::erasures::Erased;
use store::failpoints::{self, Point};
use store::jobs::{Handler, Job, JobFailed, Outcome};
use uuid::Uuid;

use crate::Exchange;

#[derive(Deserialize)]
struct About {
    erasure: Uuid,
}

/// Tries that count; after them the platform is away for long, and the job goes on for as long as it takes.
const TRIES: i64 = 20;
/// The pause between two tries then.
const LONG_PAUSE_S: i64 = 600;

/// Has the platform erase a customer who has left; repeating it erases nothing more.
pub(crate) struct Erase(pub(crate) Exchange);

impl Handler for Erase {
    fn run<'a>(
        &'a self,
        job: &'a Job,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>> {
        Box::pin(self.0.erase(job))
    }
}

impl Exchange {
    async fn erase(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let About { erasure: id } = job.payload()?;
        // Somebody has left, or has lost the number to somebody else.
        let read = move |view: &mut store::View<'_>| match view.erasures().find(id, Erased::Account)? {
            None => view.erasures().find(id, Erased::Owner),
            left => Ok(left),
        };
        let Some((erasure, number)) = self.store.read::<_, StoreError, _>(read).await? else {
            tracing::error!(
                "an erasure could not be handed to the platform for so long that it is unknown whose it was"
            );
            return Ok(Outcome::Done);
        };
        // Whoever acknowledged it may have died before it was in the journal.
        self.store.journal(&erasure).await?;
        failpoints::pass(Point::BeforeErasing).await?;
        let erased = self.platform.erase_individual(number, id, erasure.until()).await;
        failpoints::pass(Point::AfterErasing).await?;
        match erased {
            Ok(()) => Ok(Outcome::Done),
            Err(error) if error.is_retryable() && job.attempts >= TRIES => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the platform has long not erased a customer who has left"
                );
                Ok(Outcome::Later(after_seconds(self.world.now(), LONG_PAUSE_S)))
            }
            Err(error) => Err(JobFailed::new("the platform did not erase a customer who has left", error)),
        }
    }
}
