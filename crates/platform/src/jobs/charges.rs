//! Hands one payer's charge events over: in order, at least once.

use std::pin::Pin;

use domain::charging::ChargeEvent;
use domain::limits;
use domain::world::after_seconds;
use store::StoreError;
use store::failpoints::{self, Point};
use store::jobs::{Handler, Job, JobFailed, Outcome};

use crate::Platform;
use crate::charging::{Charging, Payer};
use crate::outbound::{NotTaken, pause_s};

pub(crate) struct DeliverCharges(pub(crate) Platform);

impl DeliverCharges {
    async fn deliver(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let payer = job.payload::<Payer>()?.key();
        // Without a port the events wait in the store; a start with one takes them up.
        let Some(charging) = &self.0.config.charging else { return Ok(Outcome::Done) };
        let limit = limits::count(limits::CHARGES_A_RUN_MAX);
        let read = self.0.store.read(move |view| view.platform().list_open_charges(payer, limit));
        let open = read.await?;
        let (mut taken, mut failed) = (Vec::new(), None);
        for row in &open {
            if row.refused {
                // What comes after a refused one waits until the operator has decided about it.
                break;
            }
            let handed = hand_over(charging.as_ref(), &row.event).await;
            let word = handed.as_ref().err().map_or("taken", NotTaken::word);
            metrics::counter!("charge_deliveries_total", "outcome" => word).increment(1);
            match handed {
                Ok(()) => taken.push(row.event.id),
                Err(error) => {
                    report(job, &error);
                    failed = Some((row.event.id, row.tries, matches!(error, NotTaken::Refused(_))));
                    break;
                }
            }
        }
        let now = self.0.world.now();
        let again = match failed {
            // It ran out of sense, not of tries: no outage is long enough to lose an event.
            Some((_, tries, false)) => Some(after_seconds(now, pause_s(tries, limits::CHARGE_BACKOFF_S_MAX))),
            Some((_, _, true)) => None,
            None => (open.len() == limit && !open.iter().any(|row| row.refused)).then_some(now),
        };
        self.settle(job, taken, failed.map(|(id, _, refused)| (id, refused)), again).await?;
        Ok(Outcome::Finished)
    }

    /// Writes down in one commit what was taken, what failed, and when the job runs again.
    async fn settle(
        &self,
        job: &Job,
        taken: Vec<uuid::Uuid>,
        failed: Option<(uuid::Uuid, bool)>,
        again: Option<jiff::Timestamp>,
    ) -> Result<(), StoreError> {
        let job = job.clone();
        let write = self.0.store.write(move |tx| {
            for id in &taken {
                tx.platform().settle_charge(*id)?;
            }
            if let Some((id, refused)) = failed {
                tx.platform().fail_charge(id, refused)?;
            }
            match again {
                Some(at) => tx.jobs().give_back(&job, at, false),
                None => tx.jobs().finish(&job),
            }
        });
        write.await?;
        failpoints::pass(Point::ChargeWritten).await
    }
}

async fn hand_over(charging: &dyn Charging, event: &ChargeEvent) -> Result<(), NotTaken> {
    let no_answer = |error: StoreError| NotTaken::Away(error.into());
    failpoints::pass(Point::BeforeCharge).await.map_err(no_answer)?;
    let handed = charging.hand_over(event).await;
    failpoints::pass(Point::AfterCharge).await.map_err(no_answer)?;
    handed
}

fn report(job: &Job, error: &NotTaken) {
    let (id, error, refused) =
        (job.id, error as &dyn std::error::Error, matches!(error, NotTaken::Refused(_)));
    if refused {
        tracing::error!(
            job.id = id,
            error,
            "a charge event was refused; see `hutong charges waiting`, mend the cause and retry it"
        );
    } else {
        tracing::warn!(job.id = id, error, "a charge event was not taken and will be handed over again");
    }
}

impl Handler for DeliverCharges {
    fn run<'a>(
        &'a self,
        job: &'a Job,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>> {
        Box::pin(self.deliver(job))
    }
}
