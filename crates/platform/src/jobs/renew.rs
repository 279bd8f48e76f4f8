//! The timer of renewals: looks at every product whose period has ended.

use std::pin::Pin;

use domain::ids::ProductId;
use domain::limits;
use domain::world::after_seconds;
use futures::StreamExt;
use store::audit::Actor;
use store::jobs::{Handler, Job, JobFailed, Outcome};
use store::{Kind, StoreError, Tx};

use crate::Platform;
use crate::charging;
use crate::desk::Desk;

pub(crate) struct RenewProducts(pub(crate) Platform);

/// Payers asked about at once: with the longest wait for each, a run still fits the job's lease.
const SIDE_BY_SIDE: usize = 16;

/// A renewal that fails for a reason of our own is looked at again after an hour, and holds no other.
const FAILED_PAUSE_S: i64 = 3_600;

impl RenewProducts {
    /// Whatever fails, the timer looks again: it must never be set aside.
    async fn look_again(&self, job: &Job) -> Outcome {
        match self.look(job).await {
            Ok(outcome) => outcome,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "renewals could not be looked at and will be in a minute");
                Outcome::Later(after_seconds(self.0.world.now(), limits::RENEWAL_LOOK_S))
            }
        }
    }

    async fn look(&self, job: &Job) -> Result<Outcome, StoreError> {
        let (now, limit) = (self.0.world.now(), limits::count(limits::RENEWALS_A_RUN_MAX));
        let due = self.0.store.read(move |view| view.platform().list_terms_due(now, limit)).await?;
        let renewals = futures::stream::iter(due).map(|term| self.renew(job, term.product));
        let ends: Vec<_> = renewals.buffer_unordered(SIDE_BY_SIDE).collect().await;
        ends.into_iter().collect::<Result<(), StoreError>>()?;
        // After a long time without a clock a product is due again at once; each look moves it on by one
        // period or puts it off, so this comes to an end.
        let now = self.0.world.now();
        let more = self.0.store.read(move |view| view.platform().list_terms_due(now, 1)).await?;
        let pause = if more.is_empty() { limits::RENEWAL_LOOK_S } else { 0 };
        Ok(Outcome::Later(after_seconds(now, pause)))
    }

    async fn renew(&self, job: &Job, product: ProductId) -> Result<(), StoreError> {
        let holding = job.clone();
        let renew = move |desk: &mut Desk<'_, '_>| {
            desk.tx.jobs().hold(&holding)?;
            desk.renew(product)
        };
        let refusal = match charging::write_checked(&self.0, Actor::Platform, renew).await {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal,
        };
        let pause = if refusal.ask.is_some() {
            limits::RENEWAL_LOOK_S
        } else {
            let error = StoreError::from(refusal);
            if error.is_retryable() || error.kind() == Kind::Superseded {
                return Err(error);
            }
            tracing::error!(error = &error as &dyn std::error::Error, "a subscription could not be renewed");
            FAILED_PAUSE_S
        };
        let again = after_seconds(self.0.world.now(), pause);
        let job = job.clone();
        let postpone = move |tx: &mut Tx<'_>| {
            tx.jobs().hold(&job)?;
            tx.platform().postpone_term(product, again)
        };
        self.0.store.write(postpone).await
    }
}

impl Handler for RenewProducts {
    fn run<'a>(
        &'a self,
        job: &'a Job,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>> {
        Box::pin(async { Ok(self.look_again(job).await) })
    }
}
