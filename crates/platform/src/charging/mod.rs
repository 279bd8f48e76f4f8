//! The port to the operator's charging system (M19).
//!
//! A charge event is written in the commit that activates, renews or reverses. A durable job for each
//! payer hands that payer's events over, strictly in order and at least once; the event's id is the
//! idempotency key. Payers do not wait for each other. Before anything is charged the payer is checked,
//! outside of any transaction: a write that needs the answer ends with the question, the charging system
//! is asked, and the write begins again with what it said. While it says nothing, nothing is charged.

mod face;
mod file;
mod message;
mod reconcile;
#[cfg(feature = "simulator")]
pub mod simulator;
mod webhook;

use domain::Msisdn;
use domain::catalogue::OfferingId;
use domain::charging::ChargeEvent;
use domain::key::ContactKey;
use domain::money::Money;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::audit::{Actor, AuditAction, AuditEntry};
use store::failpoints::{self, Point};
use store::jobs::JobKind;
use store::platform::ChargeRow;
use store::{Store, StoreError, Tx};
use uuid::Uuid;

use crate::Platform;
use crate::desk::Desk;
use crate::outbound::NotTaken;
use crate::refusal::Refusal;

pub(crate) use face::routes;
pub use file::FileCharging;
pub use message::{ChargeMessage, PayerQuestion};
pub use reconcile::{reconcile, record};
pub use webhook::Webhook;

/// Whether somebody can pay for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayerQuery {
    /// Who would pay.
    pub number: Msisdn,
    /// For what.
    pub offering: OfferingId,
    /// How much.
    pub money: Money,
}

/// The operator's charging system. Each call ends by itself within `limits::CHARGING_ANSWER_S_MAX`.
pub trait Charging: Send + Sync {
    /// Asks whether somebody can pay: balance, caps and bars that the charging system knows.
    ///
    /// # Errors
    /// [`NotTaken::Away`] when it gave no answer.
    fn check_payer<'a>(&'a self, query: &'a PayerQuery) -> BoxFuture<'a, Result<bool, NotTaken>>;

    /// Hands an event over; `Ok` only once it was certainly taken, now or before.
    ///
    /// # Errors
    /// [`NotTaken`] tells whether to try again.
    fn hand_over<'a>(&'a self, event: &'a ChargeEvent) -> BoxFuture<'a, Result<(), NotTaken>>;
}

/// What the charging system said about a payer.
#[derive(Debug, Clone)]
pub(crate) struct PayerAnswer {
    pub(crate) query: PayerQuery,
    pub(crate) allowed: bool,
}

/// Rounds of asking and writing: a price that changes between them is asked for again.
const ROUNDS_MAX: usize = 3;

/// Runs a write that may need the charging system's word about a payer: it is asked between two runs,
/// never inside of one.
pub(crate) async fn write_checked<T, F>(platform: &Platform, actor: Actor, work: F) -> Result<T, Refusal>
where
    T: Send + 'static,
    F: Fn(&mut Desk<'_, '_>) -> Result<T, Refusal> + Clone + Send + 'static,
{
    let mut answer: Option<PayerAnswer> = None;
    let mut refusal = Refusal::payer_unknown();
    for _ in 0..ROUNDS_MAX {
        let (clone, work, known) = (platform.clone(), work.clone(), answer.clone());
        let actor = actor.clone();
        let run = platform.store.write(move |tx| {
            work(&mut Desk::with_payer(tx, &clone, known.clone()).acting_for(Some(actor.clone())))
        });
        let run = run.await;
        match run {
            Err(refused) => match &refused.ask {
                Some(query) => {
                    answer = ask(platform, query).await;
                    refusal = refused;
                    if answer.is_none() {
                        break;
                    }
                }
                None => return Err(refused),
            },
            done => return done,
        }
    }
    Err(refusal)
}

async fn ask(platform: &Platform, query: &PayerQuery) -> Option<PayerAnswer> {
    let charging = platform.config.charging.as_ref()?;
    let said = check_payer(charging.as_ref(), query).await;
    let word = match &said {
        Ok(true) => "allowed",
        Ok(false) => "refused",
        Err(_) => "unknown",
    };
    metrics::counter!("payer_checks_total", "outcome" => word).increment(1);
    match said {
        Ok(allowed) => Some(PayerAnswer { query: query.clone(), allowed }),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a payer could not be checked; nothing is charged unchecked, and it is tried again"
            );
            None
        }
    }
}

async fn check_payer(charging: &dyn Charging, query: &PayerQuery) -> Result<bool, NotTaken> {
    let no_answer = |error: StoreError| NotTaken::Away(error.into());
    failpoints::pass(Point::BeforePayerCheck).await.map_err(no_answer)?;
    let said = charging.check_payer(query).await;
    failpoints::pass(Point::AfterPayerCheck).await.map_err(no_answer)?;
    said
}

/// Whose events a job hands over.
#[derive(Serialize, Deserialize)]
pub(crate) struct Payer {
    customer: u64,
}

impl Payer {
    pub(crate) fn key(&self) -> ContactKey {
        ContactKey::from_value(self.customer)
    }
}

/// Has a payer's events handed over: one job a payer keeps them in order.
pub(crate) fn enqueue(tx: &mut Tx<'_>, customer: ContactKey, now: Timestamp) -> Result<(), StoreError> {
    let payer = Payer { customer: customer.value() };
    tx.jobs().enqueue_topic(JobKind::DeliverCharges, &payer.customer.to_string(), &payer, now)
}

/// Payers whose jobs share one write.
const PAYERS_A_WRITE: usize = 500;

/// Begins, or goes on after a restart: the timer of renewals looks, and whatever waits to be handed
/// over, also from a time without a port, is.
///
/// # Errors
/// The store's; beginning again changes nothing more.
pub async fn begin(platform: &Platform) -> Result<(), StoreError> {
    let now = platform.world.now();
    let renewals = move |tx: &mut Tx<'_>| tx.jobs().enqueue_topic(JobKind::RenewProducts, "all", &(), now);
    platform.store.write(renewals).await?;
    if platform.config.charging.is_none() {
        return Ok(());
    }
    let mut after = None;
    loop {
        let page = move |tx: &mut Tx<'_>| {
            let payers = tx.platform().list_open_payers(after, PAYERS_A_WRITE)?;
            payers.iter().try_for_each(|payer| enqueue(tx, *payer, now))?;
            Ok::<_, StoreError>(payers.last().copied())
        };
        match platform.store.write(page).await? {
            Some(last) => after = Some(last),
            None => return Ok(()),
        }
    }
}

/// What became of a charge that an operator acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acted {
    /// It is done, now or before.
    Done,
    /// There is no such charge event.
    NoSuchCharge,
    /// This cannot be done with this one.
    NotPossible,
}

/// Gives a charge back: one reversal for each charge, however often it is asked for.
///
/// # Errors
/// The store's.
pub async fn reverse(platform: &Platform, actor: Actor, id: Uuid) -> Result<Acted, StoreError> {
    let clone = platform.clone();
    let done = platform.store.write(move |tx| {
        let mut desk = Desk::new(tx, &clone);
        let Some(charge) = desk.tx.platform().find_charge(id)? else { return Ok(Acted::NoSuchCharge) };
        let Some(product) = desk.tx.platform().find_product(charge.event.product)? else {
            return Ok(Acted::NoSuchCharge);
        };
        if charge.event.reverses.is_some() {
            return Ok(Acted::NotPossible);
        }
        desk.reverse(&product, &charge)?;
        desk.tx.audit().append(&entry(&actor, AuditAction::ChargeReversed, &charge))?;
        Ok::<_, Refusal>(Acted::Done)
    });
    done.await.map_err(StoreError::from)
}

/// Has an event that was refused handed over again, and with it what waits behind it.
///
/// # Errors
/// The store's.
pub async fn retry(platform: &Platform, actor: Actor, id: Uuid) -> Result<Acted, StoreError> {
    let now = platform.world.now();
    let write = move |tx: &mut Tx<'_>| {
        let Some(charge) = tx.platform().find_charge(id)? else { return Ok(Acted::NoSuchCharge) };
        if !tx.platform().retry_charge(id)? {
            return Ok(Acted::NotPossible);
        }
        enqueue(tx, charge.customer, now)?;
        tx.audit().append(&entry(&actor, AuditAction::ChargeRetried, &charge))?;
        Ok::<_, StoreError>(Acted::Done)
    };
    platform.store.write(write).await
}

/// What the audit log says of an operator's hand on a charge.
fn entry(actor: &Actor, action: AuditAction, charge: &ChargeRow) -> AuditEntry {
    AuditEntry::new(actor.clone(), action).about(charge.customer).product(charge.event.product)
}

/// How many charge events wait, and how many of them were refused.
///
/// # Errors
/// The store's.
pub async fn waiting(store: &Store) -> Result<(i64, i64), StoreError> {
    store.read(|view| view.platform().count_open_charges()).await
}
