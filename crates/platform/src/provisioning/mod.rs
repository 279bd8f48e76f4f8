//! The port to the providers that start and stop their services when told.
//!
//! A call is written in the commit that causes it: the right answer to a confirmation, or the end of a
//! subscription. One durable job a provider makes its calls, side by side and at least once; the order's item
//! is the idempotency key, and what concerns one person and service stays in order. While a start is not
//! answered its order is held and its subscription pending; after `limits::PROVISIONING_S_MAX` it fails, and
//! the provider is told to stop what it may have started. Nothing is charged before the provider has
//! answered. A stop holds nobody up: the subscription ends at once, and the provider is told until it answers.

mod message;
mod webhook;

use domain::catalogue::ProviderId;
use domain::provisioning::ProvisioningCall;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::jobs::JobKind;
use store::{StoreError, Tx};

use crate::Platform;
use crate::outbound::NotTaken;

pub use message::ProvisioningMessage;
pub use webhook::Webhook;

/// A provider's provisioning. Each call ends by itself within `limits::PROVISIONING_ANSWER_S_MAX`.
pub trait Provisioning: Send + Sync {
    /// Has the provider do something; `Ok` only once it has certainly done it, now or before.
    ///
    /// # Errors
    /// [`NotTaken`] tells whether to try again.
    fn call<'a>(&'a self, call: &'a ProvisioningCall) -> BoxFuture<'a, Result<(), NotTaken>>;
}

/// Which provider a job calls.
#[derive(Serialize, Deserialize)]
pub(crate) struct Calling {
    pub(crate) provider: ProviderId,
}

/// Has a provider called when the time has come.
pub(crate) fn enqueue(tx: &mut Tx<'_>, provider: &ProviderId, due: Timestamp) -> Result<(), StoreError> {
    let calling = Calling { provider: provider.clone() };
    tx.jobs().enqueue_topic(JobKind::CallProvider, provider.as_str(), &calling, due)
}

/// Goes on after a restart: whoever is to be told something is, also those that were set aside.
///
/// # Errors
/// The store's; beginning again changes nothing more.
pub async fn begin(platform: &Platform) -> Result<(), StoreError> {
    let now = platform.world.now();
    let write = move |tx: &mut Tx<'_>| {
        let providers = tx.platform().list_waiting_providers()?;
        providers.iter().try_for_each(|provider| enqueue(tx, provider, now))
    };
    platform.store.write(write).await
}
