//! Tells one provider what to start and what to stop: side by side, at least once.

use std::pin::Pin;

use domain::limits;
use domain::world::after_seconds;
use futures::StreamExt;
use store::StoreError;
use store::failpoints::{self, Point};
use store::jobs::{Handler, Job, JobFailed, Outcome};
use store::platform::ProvisioningRow;

use crate::Platform;
use crate::desk::{Desk, Said};
use crate::outbound::NotTaken;
use crate::provisioning::Calling;
use crate::refusal::Refusal;

pub(crate) struct CallProvider(pub(crate) Platform);

/// After a failure of our own.
const FAILED_PAUSE_S: i64 = 1;

impl CallProvider {
    async fn run_calls(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let Calling { provider } = job.payload()?;
        let (now, limit) = (self.0.world.now(), limits::count(limits::PROVISIONING_CALLS_A_RUN_MAX));
        let id = provider.clone();
        let due = self
            .0
            .store
            .read::<_, StoreError, _>(move |view| view.platform().list_provisioning_due(&id, now, limit));
        let calls = futures::stream::iter(due.await?).map(|row| self.call(job, row));
        let ends: Vec<_> = calls.buffer_unordered(limit).collect().await;
        if let Some(error) = ends.into_iter().find_map(Result::err) {
            // No outage of ours is long enough to set a provider's job aside.
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "a provider's answer could not be written down; it is called again");
            return Ok(Outcome::Later(after_seconds(self.0.world.now(), FAILED_PAUSE_S)));
        }
        let next =
            self.0.store.read::<_, StoreError, _>(move |view| view.platform().next_provisioning(&provider));
        Ok(next.await?.map_or(Outcome::Done, Outcome::Later))
    }

    /// Makes one call, and writes down in one commit all that follows from the answer.
    async fn call(&self, job: &Job, row: ProvisioningRow) -> Result<(), StoreError> {
        failpoints::pass(Point::BeforeProvisioning).await?;
        let answer = match self.0.config.provisioning.get(&row.provider) {
            Some(port) => port.call(&row.call).await,
            None => Err(NotTaken::Away("the provider has no address any more".into())),
        };
        failpoints::pass(Point::AfterProvisioning).await?;
        let word = answer.as_ref().err().map_or("done", NotTaken::word);
        let action = row.call.action.word();
        metrics::counter!("provisioning_calls_total", "action" => action, "outcome" => word).increment(1);
        let said = match answer {
            Ok(()) => Said::Done,
            Err(error) => {
                report(&row, &error);
                if matches!(error, NotTaken::Refused(_)) { Said::Refused } else { Said::Nothing }
            }
        };
        let (platform, job) = (self.0.clone(), job.clone());
        let write = self.0.store.write(move |tx| {
            tx.jobs().hold(&job)?;
            Desk::new(tx, &platform).provider_said(&row, said)
        });
        write.await.map_err(|refusal: Refusal| StoreError::from(refusal))?;
        failpoints::pass(Point::ProvisioningWritten).await
    }
}

fn report(row: &ProvisioningRow, error: &NotTaken) {
    let (provider, action) = (row.provider.as_str(), row.call.action.word());
    let (key, refused) = (row.call.key.as_str(), matches!(error, NotTaken::Refused(_)));
    let error = error as &dyn std::error::Error;
    if refused {
        tracing::error!(
            provider,
            action,
            key,
            error,
            "a provider refused a call for good; ask it why, it is not called again"
        );
    } else {
        tracing::warn!(provider, action, key, error, "a provider gave no answer and is called again");
    }
}

impl Handler for CallProvider {
    fn run<'a>(
        &'a self,
        job: &'a Job,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>> {
        Box::pin(self.run_calls(job))
    }
}
