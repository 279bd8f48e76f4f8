//! Jobs that hand orders, and cancellations, to the platform.

use std::future::Future;
use std::pin::Pin;

use domain::Msisdn;
use domain::funnel::FunnelStep;
use domain::ids::OrderId;
use domain::limits;
use domain::locale::Locale;
use domain::order::{OrderAction, Progress, Reason};
use domain::world::after_seconds;
use jiff::Timestamp;
use serde::Deserialize;
use store::exchange::{Order, PlatformNews};
use store::failpoints::{self, Point};
use store::jobs::{Handler, Job, JobFailed, Outcome};
use store::{FunnelEvent, StoreError, Tx};
use tmf::{ProductOrder, ProductOrderCreate};

use crate::{Exchange, SimCheck};

#[derive(Deserialize)]
struct About {
    order: OrderId,
}

/// An order that waits to be forwarded.
struct Sending {
    order: Order,
    request: ProductOrderCreate,
    /// Who pays, when it costs something.
    payer: Option<Msisdn>,
    /// Whether its subscriber wants it cancelled by now.
    cancel: bool,
}

type Run<'a> = Pin<Box<dyn Future<Output = Result<Outcome, JobFailed>> + Send + 'a>>;

/// Hands an order to the platform. Its id is the platform's external id, so that repeating it is the
/// same order.
pub(crate) struct Forward(pub(crate) Exchange);

impl Handler for Forward {
    fn run<'a>(&'a self, job: &'a Job) -> Run<'a> {
        Box::pin(self.0.forward(job))
    }
}

/// Asks the platform to cancel an order.
pub(crate) struct Cancel(pub(crate) Exchange);

impl Handler for Cancel {
    fn run<'a>(&'a self, job: &'a Job) -> Run<'a> {
        Box::pin(self.0.cancel(job))
    }
}

impl Exchange {
    async fn forward(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let About { order: id } = job.payload()?;
        let Some(Sending { order, request, payer, cancel }) = self.load_request(id).await? else {
            return Ok(Outcome::Done);
        };
        if cancel {
            return self.withdraw(job, id, Progress::Cancelled, Reason::UserCancelled).await;
        }
        if let Some(refused) = self.check_sim(&order, payer).await? {
            let unasked = refused == Reason::SimUnchecked;
            let state = if unasked { Progress::Failed } else { Progress::Rejected };
            return self.withdraw(job, id, state, refused).await;
        }
        failpoints::pass(Point::BeforeForward).await?;
        let answer = self.platform.create_order(&request).await;
        failpoints::pass(Point::AfterForward).await?;
        match answer {
            Ok(taken) => {
                let outcome = self.take_answer(job, id, &taken).await?;
                failpoints::pass(Point::ForwardWritten).await?;
                Ok(outcome)
            }
            Err(error) if error.is_retryable() => {
                if self.world.seconds_since(order.created) < limits::PLATFORM_UNREACHABLE_S {
                    return Err(JobFailed::new("the platform did not take an order", error));
                }
                self.give_up(job, id, Progress::Failed, Reason::PlatformUnreachable).await
            }
            Err(error) => {
                // The platform will never take it as it is; the operator must hear of it.
                tracing::error!(order.id = %id, error = &error as &dyn std::error::Error, "the platform refused an order's form");
                self.give_up(job, id, Progress::Failed, Reason::PlatformUnreachable).await
            }
        }
    }

    /// What stands against an order that costs, by the SIM it is placed with; `None` when nothing does. While the
    /// network does not say, the order waits, and for so long only: nothing is ordered unasked.
    async fn check_sim(&self, order: &Order, payer: Option<Msisdn>) -> Result<Option<Reason>, JobFailed> {
        let (Some(SimCheck { network, hours }), Some(payer)) = (&self.sim, payer) else { return Ok(None) };
        let said = network.has_new_sim(payer, *hours).await;
        let word = match &said {
            Ok(true) => "swapped",
            Ok(false) => "fine",
            Err(_) => "unknown",
        };
        metrics::counter!("sim_checks_total", "outcome" => word).increment(1);
        match said {
            Ok(swapped) => Ok(swapped.then_some(Reason::SimSwapped)),
            Err(error) if self.world.seconds_since(order.created) < limits::SIM_CHECK_S_MAX => {
                Err(JobFailed::new("the network did not say whether a SIM was swapped", error))
            }
            Err(_) => Ok(Some(Reason::SimUnchecked)),
        }
    }

    /// Ends an order that is not to be forwarded, since it was cancelled or refused. An earlier run may have sent it and died
    /// before its answer: only the platform knows.
    async fn withdraw(
        &self,
        job: &Job,
        id: OrderId,
        state: Progress,
        reason: Reason,
    ) -> Result<Outcome, JobFailed> {
        match self.platform.find_order_by_external_id(&id.to_string()).await {
            Ok(None) => self.give_up(job, id, state, reason).await,
            // It is there: it was asked about before it went, and a cancellation has a job of its own.
            Ok(Some(taken)) => self.take_answer(job, id, &taken).await,
            Err(error) => Err(JobFailed::new("the platform did not say whether it has an order", error)),
        }
    }

    /// The order while it waits to be forwarded, and what to send for it.
    async fn load_request(&self, id: OrderId) -> Result<Option<Sending>, StoreError> {
        let keys = self.store.keys().clone();
        let read = move |view: &mut store::View<'_>| -> Result<_, StoreError> {
            let Some(order) = view.exchange().find_any_order(id)? else { return Ok(None) };
            let subscriber = view.contacts().find_subscriber(order.placed.orderer)?;
            let Some(subscriber) = subscriber.filter(|_| order.state == Progress::Queued) else {
                return Ok(None);
            };
            let card = view.exchange().find_card(&order.placed.offering)?;
            // The share is named by an opaque reference, never by the friend's number: by the platform's own where
            // it has given the friend's product one, since an order is to lead to where that is.
            let referral = match order.placed.share {
                Some(share) => view.exchange().find_referral(share)?.or_else(|| {
                    let hash = keys.hash("referral", &[&share.to_be_bytes()]);
                    Some(hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>())
                }),
                None => None,
            };
            let costs = card.as_ref().is_none_or(|card| card.offering.price.money.hundredths() > 0);
            let payer = (costs && order.placed.action == OrderAction::Add).then_some(subscriber.number);
            let request = request(&order, subscriber.number, subscriber.locale, card, referral.as_deref());
            let cancel = view.exchange().is_cancel_wanted(id)?;
            Ok(request.map(|request| Sending { order, request, payer, cancel }))
        };
        self.store.read(read).await
    }

    async fn take_answer(&self, job: &Job, id: OrderId, taken: &ProductOrder) -> Result<Outcome, JobFailed> {
        // An answer is older news than any event: events that came first stay.
        let news = read_news(taken, Timestamp::UNIX_EPOCH).ok_or_else(|| {
            JobFailed::new("the platform answered an order in no known state", "unreadable state")
        })?;
        let job = job.clone();
        let write = move |tx: &mut Tx<'_>| {
            apply(tx, id, &news)?;
            tx.jobs().finish(&job)
        };
        self.store.write::<_, StoreError, _>(write).await?;
        Ok(Outcome::Finished)
    }

    async fn give_up(
        &self,
        job: &Job,
        id: OrderId,
        state: Progress,
        reason: Reason,
    ) -> Result<Outcome, JobFailed> {
        let job = job.clone();
        let write = move |tx: &mut Tx<'_>| {
            tx.exchange().end_unforwarded(id, state, reason)?;
            tx.jobs().finish(&job)
        };
        self.store.write::<_, StoreError, _>(write).await?;
        Ok(Outcome::Finished)
    }

    async fn cancel(&self, job: &Job) -> Result<Outcome, JobFailed> {
        let About { order: id } = job.payload()?;
        let order =
            self.store.read::<_, StoreError, _>(move |view| view.exchange().find_any_order(id)).await?;
        let Some(order) = order.filter(|order| !order.state.is_final()) else { return Ok(Outcome::Done) };
        let Some(platform_order) = order.platform_order else {
            // It may be on its way at this moment: what the platform has not got, it cannot cancel.
            return Ok(Outcome::Later(after_seconds(self.world.now(), 1)));
        };
        match self.platform.cancel_order(&platform_order).await {
            // Too late is an answer too: the order's own events tell how it ends.
            Ok(_) => Ok(Outcome::Done),
            Err(error) if !error.is_retryable() => Ok(Outcome::Done),
            Err(error) => Err(JobFailed::new("the platform did not take a cancellation", error)),
        }
    }
}

fn request(
    order: &Order,
    customer: Msisdn,
    locale: Locale,
    card: Option<store::exchange::Card>,
    referral: Option<&str>,
) -> Option<ProductOrderCreate> {
    let external_id = order.placed.id.to_string();
    let create = match order.placed.action {
        OrderAction::Add => {
            let mut seen = card?.offering;
            // The version on the card that was tapped: the platform refuses when it has changed since.
            seen.version = order.placed.version.unwrap_or(seen.version);
            ProductOrderCreate::add(&external_id, customer, &seen, referral)
        }
        OrderAction::Delete => {
            ProductOrderCreate::delete(&external_id, customer, order.placed.product.as_deref()?)
        }
    };
    Some(create.in_language(locale))
}

/// What a product order says of the exchange's order; `None` when its state cannot be read.
pub(crate) fn read_news(order: &ProductOrder, at: Timestamp) -> Option<PlatformNews> {
    let state = order.order_state().ok()?.progress();
    let reason = order.reason().filter(|_| state.is_final() && state != Progress::Completed);
    Some(PlatformNews { platform_order: order.id.clone(), state, reason, at })
}

/// Brings the order in step, and writes down that the platform took it when this is the first news.
pub(crate) fn apply(tx: &mut Tx<'_>, id: OrderId, news: &PlatformNews) -> Result<(), StoreError> {
    let before = tx.exchange().find_any_order(id)?;
    let Some(after) = tx.exchange().apply_news(id, news)? else { return Ok(()) };
    if before.is_some_and(|order| order.platform_order.is_none()) {
        tx.funnel().record(&FunnelEvent {
            step: FunnelStep::Forwarded,
            offering: Some(after.placed.offering),
            person: Some(after.placed.orderer),
            friend: None,
            cause: Some(id.to_string()),
        })?;
    }
    Ok(())
}
