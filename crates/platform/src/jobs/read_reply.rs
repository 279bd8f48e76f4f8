//! A text came in: what it says is done, and the text wiped, in one write.

use std::pin::Pin;

use domain::ids::TextId;
use domain::limits;
use domain::world::after_seconds;
use serde::Deserialize;
use store::StoreError;
use store::audit::Actor;
use store::failpoints::{self, Point};
use store::jobs::{Handler, Job, JobFailed, Outcome};
use store::texts::InboundText;

use crate::Platform;
use crate::charging::{self, PayerAnswer, PayerQuery};
use crate::desk::Desk;
use crate::refusal::Refusal;

/// Between two questions about one payer: a person waits for the answer.
pub(super) const PAYER_PAUSE_S: i64 = 5;

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
        failpoints::pass(Point::BeforeReply).await?;
        let finishing = job.clone();
        let done =
            charging::write_checked(&platform, Actor::Platform, move |desk| act(desk, text, &finishing))
                .await;
        if let Err(Refusal { ask: Some(query), .. }) = done {
            return self.wait(job, text, *query).await;
        }
        done.map_err(StoreError::from)?;
        failpoints::pass(Point::AfterReply).await?;
        Ok(Outcome::Finished)
    }

    /// Whether the payer can pay is not known: the reply keeps, and is read again in a moment; but a
    /// person who waits for long is told that nothing was ordered.
    async fn wait(&self, job: Job, text: TextId, query: PayerQuery) -> Result<Outcome, JobFailed> {
        let platform = self.0.clone();
        let inbound = platform.store.read(move |view| view.texts().find_inbound(text)).await?;
        let waited = inbound.map_or(0, |inbound: InboundText| platform.world.seconds_since(inbound.received));
        if waited <= limits::PAYER_ASK_S_MAX {
            return Ok(Outcome::Later(after_seconds(platform.world.now(), PAYER_PAUSE_S)));
        }
        let (clone, unknown) = (platform.clone(), PayerAnswer { query, allowed: false });
        let done = platform
            .store
            .write(move |tx| act(&mut Desk::with_payer(tx, &clone, Some(unknown.clone())), text, &job))
            .await;
        done.map_err(StoreError::from).map(|()| Outcome::Finished).map_err(JobFailed::from)
    }
}

fn act(desk: &mut Desk<'_, '_>, text: TextId, job: &Job) -> Result<(), Refusal> {
    // A text already wiped was acted on: the job ran twice.
    if let Some(inbound) = desk.tx.texts().find_inbound(text)? {
        desk.read_text(&inbound)?;
        desk.tx.texts().wipe_inbound(text)?;
    }
    Ok(desk.tx.jobs().finish(job)?)
}

impl Handler for ReadReply {
    fn run<'a>(
        &'a self,
        job: &'a Job,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>> {
        Box::pin(self.read(job))
    }
}
