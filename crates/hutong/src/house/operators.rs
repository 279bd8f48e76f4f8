//! The operator's interface and the platform beside it: joined here, since roles never import each other.

use bytes::Bytes;
use contacts::FormerOwner;
use domain::catalogue::Provider;
use domain::key::ContactKey;
use domain::order::Reason;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::civil::Date;
use operator::{Ended, PlatformDesk, SeedRefused, Seeded};
use platform::Platform;
use platform::seed::SeedError;
use store::audit::Actor;
use store::erasures::{Erased, Erasure};
use store::{Store, StoreError, Tx};

/// The platform, as the operator's interface needs it.
#[derive(Clone)]
pub(super) struct Desk(pub(super) Platform);

impl PlatformDesk for Desk {
    fn seed(&self, json: Bytes, actor: Actor) -> BoxFuture<'_, Result<Seeded, SeedRefused>> {
        Box::pin(async move {
            match platform::seed::seed(&self.0, &json, actor).await {
                Ok(report) => Ok(Seeded {
                    providers: report.providers,
                    offerings: report.offerings,
                    subscriptions: report.subscriptions,
                    payers: report.payers,
                }),
                Err(SeedError::Faults(faults)) => {
                    let faults = faults.into_iter().map(|fault| (fault.place, fault.problem));
                    Err(SeedRefused::Faults(faults.collect()))
                }
                Err(SeedError::Store(error)) => Err(SeedRefused::Store(error)),
            }
        })
    }

    fn today(&self) -> Date {
        self.0.today()
    }

    fn put_provider(&self, tx: &mut Tx<'_>, provider: &Provider) -> Result<(), StoreError> {
        self.0.put_provider(tx, provider)
    }

    fn end_customer(
        &self,
        tx: &mut Tx<'_>,
        key: ContactKey,
        actor: &Actor,
        before: Timestamp,
    ) -> Result<Ended, StoreError> {
        let why = Reason::NumberReassigned;
        let (subscriptions, orders) = self.0.end_customer(tx, key, actor, why, before)?;
        Ok(Ended { subscriptions, orders })
    }
}

/// Closes what a number's former owner had, as the operator's event does; the network has said so.
pub(super) struct Former(pub(super) Option<Desk>);

impl FormerOwner for Former {
    fn close(&self, tx: &mut Tx<'_>, key: ContactKey) -> Result<Erasure, StoreError> {
        let platform = self.0.as_ref().map(|desk| desk as &dyn PlatformDesk);
        let (_, erasure) = operator::close_for_new_owner(tx, platform, key, &Actor::Platform)?;
        Ok(erasure)
    }
}

/// Erases again what a journal has and the database, an older one, has not: before anybody sees anything.
pub(super) async fn erase_again(
    store: &Store,
    platform: Option<Platform>,
    again: Vec<Erasure>,
) -> Result<(), StoreError> {
    if again.is_empty() {
        return Ok(());
    }
    tracing::warn!(
        erasures = again.len(),
        "the database is older than its journal of erasures: a backup was restored; those people are erased again"
    );
    for erasure in again {
        let desk = platform.clone().map(Desk);
        let write = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            tx.erasures().record_again(&erasure)?;
            match (erasure.what, &desk) {
                (Erased::Account, _) => contacts::account::erase::erase_account(tx, &erasure),
                (Erased::Owner, _) => {
                    let desk = desk.as_ref().map(|desk| desk as &dyn PlatformDesk);
                    operator::close(tx, desk, &erasure, &Actor::Platform).map(drop)
                }
                (Erased::Customer, Some(Desk(platform))) => {
                    platform::party::erase_customer(platform, tx, &erasure, &Actor::Platform)
                }
                // The platform is another process, with a journal of its own.
                (Erased::Customer, None) => Ok(()),
            }
        };
        store.write(write).await?;
    }
    Ok(())
}
