//! A text came in: what it says is done, and the text wiped, in one write.

use std::pin::Pin;

use domain::ids::TextId;
use serde::Deserialize;
use store::StoreError;
use store::failpoints::{self, Point};
use store::jobs::{Handler, Job, JobFailed, Outcome};

use crate::Platform;
use crate::desk::Desk;
use crate::refusal::Refusal;

pub(crate) struct ReadReply(pub(crate) Platform);

/// The stored inbound text.
#[derive(Deserialize)]
struct Payload {
    text: TextId,
}

impl ReadReply {
    async fn read(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let (platform, job) = (self.0.clone(), job.clone());
        let Payload { text } = job.payload()?;
        let store = platform.store.clone();
        failpoints::pass(Point::BeforeReply).await?;
        let done = store
            .write(move |tx| {
                // A text already wiped was acted on: the job ran twice.
                if let Some(inbound) = tx.texts().find_inbound(text)? {
                    Desk::new(tx, &platform).read_text(&inbound)?;
                    tx.texts().wipe_inbound(text)?;
                }
                Ok::<_, Refusal>(tx.jobs().finish(&job)?)
            })
            .await;
        done.map_err(StoreError::from)?;
        failpoints::pass(Point::AfterReply).await?;
        Ok(Outcome::Finished)
    }
}

impl Handler for ReadReply {
    fn run<'a>(
        &'a self,
        job: &'a Job,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>> {
        Box::pin(self.read(job))
    }
}
