//! The operator's interface and the platform beside it: joined here, since roles never import each other.

use bytes::Bytes;
use domain::catalogue::Provider;
use domain::key::ContactKey;
use futures::future::BoxFuture;
use jiff::civil::Date;
use operator::{Ended, PlatformDesk, SeedRefused, Seeded};
use platform::Platform;
use platform::seed::SeedError;
use store::audit::Actor;
use store::{StoreError, Tx};

/// The platform, as the operator's interface needs it.
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

    fn end_customer(&self, tx: &mut Tx<'_>, key: ContactKey, actor: &Actor) -> Result<Ended, StoreError> {
        let (subscriptions, orders) = self.0.end_customer(tx, key, actor)?;
        Ok(Ended { subscriptions, orders })
    }
}
