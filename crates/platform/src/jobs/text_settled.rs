//! A text that something waits for was accepted, refused or lost.

use std::pin::Pin;

use domain::ids::ProductOrderId;
use serde::Deserialize;
use store::StoreError;
use store::jobs::{Handler, Job, JobFailed, Outcome};

use crate::Platform;
use crate::communication::message_of;
use crate::desk::Desk;
use crate::refusal::Refusal;

pub(crate) struct TextSettled(pub(crate) Platform);

/// What waited for the text: the id of a product order, or a message.
#[derive(Deserialize)]
struct Payload {
    reference: String,
}

impl TextSettled {
    async fn settle(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let (platform, job) = (self.0.clone(), job.clone());
        let Payload { reference } = job.payload()?;
        let (order, message) = (reference.parse::<ProductOrderId>().ok(), message_of(&reference));
        let store = platform.store.clone();
        let done = store
            .write(move |tx| {
                let mut desk = Desk::new(tx, &platform);
                // Any other reference is somebody else's.
                match (order, message) {
                    (Some(order), _) => desk.text_settled(order)?,
                    (None, Some(message)) => desk.message_settled(message)?,
                    (None, None) => {}
                }
                Ok::<_, Refusal>(tx.jobs().finish(&job)?)
            })
            .await;
        done.map_err(StoreError::from).map(|()| Outcome::Finished).map_err(JobFailed::from)
    }
}

impl Handler for TextSettled {
    fn run<'a>(
        &'a self,
        job: &'a Job,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>> {
        Box::pin(self.settle(job))
    }
}
