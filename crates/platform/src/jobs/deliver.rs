//! Tells one listener what it has not heard: in order, at least once.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use domain::ids::HubId;
use domain::limits;
use http::Request;
use http::header::CONTENT_TYPE;
use store::StoreError;
use store::failpoints::{self, Point};
use store::jobs::{Handler, Job, JobFailed, Outcome};
use store::platform::{HubEventRow, HubListenerRow};
use tmf::Transport;

use crate::Platform;
use crate::desk::Delivery;

pub(crate) struct DeliverHubEvents(pub(crate) Platform);

const EVENTS_A_RUN: usize = 20;
/// A run that has taken so long leaves the rest to another, well within its lease.
const RUN_S_MAX: i64 = limits::JOB_LEASE_S / 2;

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
        let started = self.0.world.now();
        let mut told = None;
        let mut more = events.len() == EVENTS_A_RUN;
        for event in &events {
            // What was told is written down while the next is told: whenever this process dies, the
            // listener hears two events again at most.
            let (posted, marked) =
                futures::join!(post(&transport, &listener, event), self.mark(id, told.take()));
            marked?;
            if let Err(error) = posted {
                count("failed");
                return Err(error);
            }
            count("ok");
            told = Some(event.seq);
            if self.0.world.seconds_since(started) > RUN_S_MAX {
                more = true;
                break;
            }
        }
        self.mark(id, told).await?;
        Ok(if more { Outcome::Later(self.0.world.now()) } else { Outcome::Done })
    }

    /// Writes down that a listener has been told an event.
    async fn mark(&self, listener: HubId, told: Option<i64>) -> Result<(), StoreError> {
        let Some(seq) = told else { return Ok(()) };
        self.0.store.write(move |tx| tx.platform().remove_hub_events(listener, &[seq])).await?;
        failpoints::pass(Point::TellingWritten).await
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("hub_deliveries_total", "outcome" => outcome).increment(1);
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
    failpoints::pass(Point::BeforeTelling).await?;
    let answer = transport.call(request).await;
    failpoints::pass(Point::AfterTelling).await?;
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
