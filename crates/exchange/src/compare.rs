//! The job that asks the platform about what its events may have missed: an order's event may be lost with whoever sent
//! it, an answer may have come after the order was given up, a subscription may have ended unheard.

use std::future::Future;
use std::pin::Pin;

use domain::limits;
use domain::world::after_seconds;
use futures::StreamExt;
use serde_json::json;
use store::exchange::Uncompared;
use store::jobs::{Handler, Job, JobFailed, JobKind, Outcome};
use store::{StoreError, Tx};
use tmf::{ProductOrder, TmfError};

use crate::{Exchange, forward};

/// Orders asked about at the same time.
const AT_ONCE: usize = 8;

/// A run that has taken so long leaves the rest to another: a call may take twenty seconds more.
const RUN_S_MAX: i64 = limits::JOB_LEASE_S / 4;

type Run<'a> = Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>>;

/// Compares; never ends, and one serves all processes.
pub(crate) struct Compare(pub(crate) Exchange);

impl Handler for Compare {
    fn run<'a>(&'a self, job: &'a Job) -> Run<'a> {
        Box::pin(self.0.compare(job))
    }
}

impl Exchange {
    async fn compare(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let (now, batch) = (self.world.now(), limits::count(limits::COMPARE_BATCH));
        let before = after_seconds(now, -limits::COMPARE_ORDERS_S);
        let since = after_seconds(now, -limits::COMPARE_GIVEN_UP_DAYS * 86_400);
        let orders = self
            .store
            .read::<_, StoreError, _>(move |view| view.exchange().list_uncompared(before, since, batch))
            .await?;
        let mut more = orders.len() == batch;
        let mut asked = futures::stream::iter(orders)
            .map(|order| self.compare_order(job, order))
            .buffer_unordered(AT_ONCE);
        let mut silent = false;
        while let Some(outcome) = asked.next().await {
            silent |= outcome?;
            // What is left is for the next run, well within this one's lease.
            if silent || self.world.seconds_since(now) > RUN_S_MAX {
                more = true;
                break;
            }
        }
        drop(asked);
        let more = self.ask_for_subscriptions().await? || more;
        // While the platform does not answer, asking on at once would only add to its trouble.
        let pause = if more && !silent { 0 } else { limits::COMPARE_EVERY_S };
        Ok(Outcome::Later(after_seconds(self.world.now(), pause)))
    }

    /// Brings one order in step with what the platform says of it; whether it did not say.
    async fn compare_order(&self, job: &Job, order: Uncompared) -> Result<bool, StoreError> {
        let said = match &order.platform_order {
            Some(id) => match self.platform.load_order(id).await {
                Err(TmfError::Refused { status: 404, .. }) => Ok(None),
                said => said.map(Some),
            },
            None => self.platform.find_order_by_external_id(&order.id.to_string()).await,
        };
        let taken = match said {
            Ok(taken) => taken,
            Err(error) => {
                tracing::debug!(
                    order.id = %order.id,
                    error = &error as &dyn std::error::Error,
                    "the platform did not say how an order stands; it is asked again"
                );
                // One order that the platform cannot speak of must not stand in the way of all others.
                if error != TmfError::Unreachable {
                    let write = move |tx: &mut Tx<'_>| tx.exchange().mark_compared(order.id);
                    self.store.write::<_, StoreError, _>(write).await?;
                }
                return Ok(true);
            }
        };
        let job = job.clone();
        let write = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
            tx.jobs().hold(&job)?;
            tx.exchange().mark_compared(order.id)?;
            let Some(taken) = &taken else { return Ok(false) };
            if !is_same(&order, taken) {
                return Ok(true);
            }
            // What it says now is no older than what it said before; an event that came meanwhile may be newer.
            let Some(news) = forward::read_news(taken, order.heard) else { return Ok(true) };
            forward::apply(tx, order.id, &news).map(|()| false)
        };
        let strange = self.store.write(write).await?;
        if strange {
            tracing::warn!(
                "the platform answered for an order with what is not that order, or in no known state"
            );
        }
        Ok(false)
    }

    /// Has the subscriptions compared of those for whom it is time; whether there are more.
    async fn ask_for_subscriptions(&self) -> Result<bool, StoreError> {
        let now = self.world.now();
        let write = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
            let batch = limits::count(limits::COMPARE_BATCH);
            let before = after_seconds(now, -limits::COMPARE_SUBSCRIBERS_S);
            let subscribers = tx.exchange().list_subscribers_uncompared(before, batch)?;
            for key in &subscribers {
                tx.exchange().mark_subscriptions_compared(*key)?;
                let (topic, about) = (key.value().to_string(), json!({ "key": key.value() }));
                tx.jobs().enqueue_topic(JobKind::SyncSubscriptions, &topic, &about, now)?;
            }
            Ok(subscribers.len() == batch)
        };
        self.store.write(write).await
    }
}

/// Whether an answer is about the order that was asked for, as far as it says.
fn is_same(order: &Uncompared, said: &ProductOrder) -> bool {
    let ours = said.external_id.as_deref().is_none_or(|id| id == order.id.to_string());
    ours && order.platform_order.as_deref().is_none_or(|id| id == said.id)
}
