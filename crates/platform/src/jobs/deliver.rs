//! Tells one listener what it has not heard: what concerns one resource in order, at least once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use domain::ids::HubId;
use domain::limits;
use http::Request;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use store::StoreError;
use store::failpoints::{self, Point};
use store::jobs::{Handler, Job, JobFailed, Outcome};
use store::platform::{HubEventRow, HubListenerRow};
use tmf::Transport;

use crate::Platform;
use crate::desk::Delivery;

pub(crate) struct DeliverHubEvents(pub(crate) Platform);

const EVENTS_A_RUN: usize = 256;
/// Events about so many resources are told at the same time.
const SIDE_BY_SIDE: usize = 32;
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
        let mut more = events.len() == EVENTS_A_RUN;
        let mut waiting: VecDeque<_> = events.into_iter().map(|event| (resource_of(&event), event)).collect();
        let mut told = Vec::new();
        while !waiting.is_empty() {
            let wave = take_wave(&mut waiting);
            let posts =
                futures::future::join_all(wave.iter().map(|event| post(&transport, &listener, event)));
            // What was told is written down while the next is told: whenever this process dies, the
            // listener hears of each resource two events again at most.
            let (posted, marked) = futures::join!(posts, self.mark(id, std::mem::take(&mut told)));
            marked?;
            let mut failed = None;
            for (event, posted) in wave.iter().zip(posted) {
                count(if posted.is_ok() { "ok" } else { "failed" });
                match posted {
                    Ok(()) => told.push(event.seq),
                    Err(error) => failed = Some(error),
                }
            }
            if let Some(error) = failed {
                self.mark(id, told).await?;
                return Err(error);
            }
            if self.0.world.seconds_since(started) > RUN_S_MAX {
                more = true;
                break;
            }
        }
        self.mark(id, told).await?;
        Ok(if more { Outcome::Later(self.0.world.now()) } else { Outcome::Done })
    }

    /// Writes down that a listener has been told events.
    async fn mark(&self, listener: HubId, told: Vec<i64>) -> Result<(), StoreError> {
        if told.is_empty() {
            return Ok(());
        }
        self.0.store.write(move |tx| tx.platform().remove_hub_events(listener, &told)).await?;
        failpoints::pass(Point::TellingWritten).await
    }
}

/// Which resource an event is about; events about nothing that has an id count as about the same.
fn resource_of(event: &HubEventRow) -> String {
    #[derive(Deserialize)]
    struct Resource {
        id: String,
    }
    #[derive(Deserialize)]
    struct About {
        event: BTreeMap<String, Resource>,
    }
    let about = serde_json::from_slice::<About>(&event.body).ok();
    about.and_then(|about| about.event.into_values().next()).map_or_else(String::new, |resource| resource.id)
}

/// Takes the first events that may be told at the same time: one a resource, none before an earlier one.
fn take_wave(waiting: &mut VecDeque<(String, HubEventRow)>) -> Vec<HubEventRow> {
    let mut taken = BTreeSet::new();
    let (mut wave, mut left) = (Vec::new(), VecDeque::new());
    while let Some((resource, event)) = waiting.pop_front() {
        if wave.len() < SIDE_BY_SIDE && taken.insert(resource.clone()) {
            wave.push(event);
        } else {
            left.push_back((resource, event));
        }
    }
    *waiting = left;
    wave
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
