//! A confirmation's time may have run out.

use std::pin::Pin;

use domain::world::after_seconds;
use store::StoreError;
use store::audit::Actor;
use store::jobs::{Handler, Job, JobFailed, Outcome};

use super::read_reply::PAYER_PAUSE_S;
use crate::Platform;
use crate::charging;
use crate::desk::{Desk, Waiting};
use crate::refusal::Refusal;

pub(crate) struct ExpireConfirmation(pub(crate) Platform);

impl ExpireConfirmation {
    async fn expire(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let Waiting { order } = job.payload()?;
        let holding = job.clone();
        let expire = move |desk: &mut Desk<'_, '_>| {
            desk.tx.jobs().hold(&holding)?;
            desk.expire(order)
        };
        match charging::write_checked(&self.0, Actor::Platform, expire).await {
            Ok(look_again) => Ok(look_again.map_or(Outcome::Done, Outcome::Later)),
            // An answer came in time, and its payer cannot be checked: whoever reads it waits no longer than is right.
            Err(Refusal { ask: Some(_), .. }) => {
                Ok(Outcome::Later(after_seconds(self.0.world.now(), PAYER_PAUSE_S)))
            }
            Err(refusal) => Err(StoreError::from(refusal).into()),
        }
    }
}

impl Handler for ExpireConfirmation {
    fn run<'a>(
        &'a self,
        job: &'a Job,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>> {
        Box::pin(self.expire(job))
    }
}
