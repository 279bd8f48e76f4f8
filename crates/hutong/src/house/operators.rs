//! The operator's interface and the platform beside it: joined here, since roles never import each other.

use std::sync::Arc;

use bytes::Bytes;
use contacts::FormerOwner;
use domain::catalogue::Provider;
use domain::key::ContactKey;
use domain::order::Reason;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::civil::Date;
use operator::{Ended, Parts, PlatformDesk, SeedRefused, Seeded};
use platform::Platform;
use platform::seed::SeedError;
use store::audit::Actor;
use store::erasures::Erasure;
use store::{StoreError, Tx};

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

/// What an operator's call reaches in a process with these roles and, where it is here, the platform.
pub(super) fn parts(accounts: bool, exchange: bool, platform: Option<Platform>) -> Parts {
    let platform = platform.map(|platform| Arc::new(Desk(platform)) as Arc<dyn PlatformDesk>);
    Parts { accounts, exchange, platform, tells_platform: false }
}

/// Closes what a number's former owner had, as the operator's event does; the network has said so.
pub(super) struct Former(pub(super) Parts);

impl FormerOwner for Former {
    fn close(&self, tx: &mut Tx<'_>, key: ContactKey) -> Result<Erasure, StoreError> {
        let (_, erasure) = operator::close_for_new_owner(tx, &self.0, key, &Actor::Platform)?;
        Ok(erasure)
    }
}
