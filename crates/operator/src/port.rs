//! What only the platform role can do; `hutong` joins the two.

use std::sync::Arc;

use bytes::Bytes;
use domain::catalogue::Provider;
use domain::key::ContactKey;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use store::audit::Actor;
use store::{StoreError, Tx};

/// What of an installation is in this process: an operator's call reaches that, and no other process's part.
#[derive(Clone, Default)]
pub struct Parts {
    /// Accounts with their books: the role contacts.
    pub accounts: bool,
    /// Orders on their way to the platform: the role exchange.
    pub exchange: bool,
    /// The platform.
    pub platform: Option<Arc<dyn PlatformDesk>>,
    /// Whether a platform elsewhere is to erase a number's former owner, by a job.
    pub tells_platform: bool,
}

/// The platform as the operator's interface needs it.
pub trait PlatformDesk: Send + Sync {
    /// Takes a seed and writes it into the audit log.
    fn seed(&self, json: Bytes, actor: Actor) -> BoxFuture<'_, Result<Seeded, SeedRefused>>;

    /// Today in the operator's own time zone, by which designations count.
    fn today(&self) -> Date;

    /// Writes a provider, and tells the listeners of each of its offerings.
    ///
    /// # Errors
    /// The store's.
    fn put_provider(&self, tx: &mut Tx<'_>, provider: &Provider) -> Result<(), StoreError>;

    /// Ends everything that a customer had before a moment, whose number goes to somebody else, without a
    /// text: orders, subscriptions, claims. What stays as evidence stays under a key that is nobody's number.
    ///
    /// # Errors
    /// The store's.
    fn end_customer(
        &self,
        tx: &mut Tx<'_>,
        key: ContactKey,
        actor: &Actor,
        before: Timestamp,
    ) -> Result<Ended, StoreError>;
}

/// What a seed has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Seeded {
    /// Providers added or changed.
    pub providers: usize,
    /// Offerings added or changed.
    pub offerings: usize,
    /// Subscriptions added.
    pub subscriptions: usize,
    /// Payers written.
    pub payers: usize,
}

/// Why a seed was not taken.
#[derive(Debug)]
pub enum SeedRefused {
    /// Its faults: where, and what is wrong there.
    Faults(Vec<(String, String)>),
    /// The store.
    Store(StoreError),
}

/// What was ended for a number's new owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ended {
    /// Subscriptions that were live.
    pub subscriptions: usize,
    /// Orders that were open.
    pub orders: usize,
}
