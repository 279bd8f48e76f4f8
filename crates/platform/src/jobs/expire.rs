//! A confirmation's time may have run out.

use std::pin::Pin;

use store::StoreError;
use store::jobs::{Handler, Job, JobFailed, Outcome};

use crate::Platform;
use crate::desk::{Desk, Waiting};
use crate::refusal::Refusal;

pub(crate) struct ExpireConfirmation(pub(crate) Platform);

impl ExpireConfirmation {
    async fn expire(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let platform = self.0.clone();
        let Waiting { order } = job.payload()?;
        let store = platform.store.clone();
        let look_again = store.write(move |tx| Desk::new(tx, &platform).expire(order)).await;
        let look_again = look_again.map_err(|refusal: Refusal| StoreError::from(refusal))?;
        Ok(look_again.map_or(Outcome::Done, Outcome::Later))
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
