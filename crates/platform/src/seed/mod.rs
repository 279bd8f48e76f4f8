//! Fills the platform from a seed: catalogue, providers, subscriptions that exist, payers. The same
//! seed again changes nothing.

mod read;
mod write;

use serde::Serialize;
use store::StoreError;
use store::audit::Actor;

use crate::Platform;

/// What a seed has changed; all 0 when it was there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SeedReport {
    /// Providers added or changed.
    pub providers: usize,
    /// Offerings added or changed.
    pub offerings: usize,
    /// Subscriptions added.
    pub subscriptions: usize,
    /// Payers written.
    pub payers: usize,
}

/// One fault of a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedFault {
    /// Where, such as `offerings[0].price.amount`.
    pub place: String,
    /// What is wrong there; holds no number.
    pub problem: String,
}

/// Why a seed was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// It has faults; all of them are named, and nothing was changed.
    #[error("the seed has {} faults", .0.len())]
    Faults(Vec<SeedFault>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes a seed from somebody, in JSON as `api.md` fixes it. The catalogue is written as a whole; subscriptions
/// follow in parts, so that a large seed does not keep others from writing.
///
/// # Errors
/// [`SeedError`]; after a fault nothing is changed, after a failure of the store the seed may be given
/// again.
pub async fn seed(platform: &Platform, json: &[u8], actor: Actor) -> Result<SeedReport, SeedError> {
    let seed = read::read(json).map_err(SeedError::Faults)?;
    write::write(platform, seed, actor).await
}
