//! Tells one listener what it has not heard: in order, at least once.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use store::StoreError;
use store::jobs::{Handler, Job, JobFailed, Outcome};
use store::platform::{HubEventRow, HubListenerRow};
use tmf::Transport;

use crate::Platform;
use crate::desk::Delivery;

pub(crate) struct DeliverHubEvents(pub(crate) Platform);

/// Few enough that a slow listener's answers fit the job's lease.
const EVENTS_A_RUN: usize = 20;

impl DeliverHubEvents {
    async fn deliver(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let Delivery { listener: id } = job.payload()?;
        let found = self.0.store.read(move |view| {
            let mut platform = view.platform();
            let listener = platform.find_listener(id)?;
            Ok::<_, StoreError>((listener, platform.list_hub_events(id, EVENTS_A_RUN)?))
        });
        let (Some(listener), events) = found.await? else { return Ok(Outcome::Done) };
        let transport = self.0.callbacks.transport(&listener.callback);
        let transport =
            transport.ok_or_else(|| JobFailed::new("a listener may not be called", "no transport"))?;
        let (mut told, mut failure) = (Vec::new(), None);
        let count = |outcome| metrics::counter!("hub_deliveries_total", "outcome" => outcome).increment(1);
        for event in &events {
            if let Err(error) = post(&transport, &listener, event).await {
                count("failed");
                failure = Some(error);
                break;
            }
            count("ok");
            told.push(event.seq);
        }
        let more = events.len() == EVENTS_A_RUN;
        if !told.is_empty() {
            self.0.store.write(move |tx| tx.platform().remove_hub_events(id, &told)).await?;
        }
        match failure {
            Some(error) => Err(error),
            None if more => Ok(Outcome::Later(self.0.world.now())),
            None => Ok(Outcome::Done),
        }
    }
}

async fn post(
    transport: &Arc<dyn Transport>,
    listener: &HubListenerRow,
    event: &HubEventRow,
) -> Result<(), JobFailed> {
    let address = format!("{}/listener/{}", listener.callback.trim_end_matches('/'), event.kind);
    let request = Request::post(address)
        .header(CONTENT_TYPE, "application/json")
        .body(Bytes::from(event.body.clone()))
        .map_err(|error| JobFailed::new("a listener's address cannot be called", error))?;
    let answer = transport.call(request).await;
    let answer = answer.map_err(|error| JobFailed::new("a listener cannot be reached", error))?;
    if answer.status().is_success() {
        return Ok(());
    }
    let status = format!("status {}", answer.status().as_u16());
    Err(JobFailed::new("a listener refused an event", status))
}

impl Handler for DeliverHubEvents {
    fn run<'a>(
        &'a self,
        job: &'a Job,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>> {
        Box::pin(self.deliver(job))
    }
}
