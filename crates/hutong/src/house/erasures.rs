//! Erasures that an older database has forgotten.

use platform::Platform;
use store::audit::Actor;
use store::erasures::{Erased, Erasure};
use store::{OpenError, Store, StoreError, Tx};

use super::{Plan, StartError};

/// Erases again what a journal has and the database, an older one, has not: before anybody sees anything. What is
/// another process's to erase stops the start until it has.
pub(super) async fn again(
    store: &Store,
    plan: &Plan,
    platform: Option<Platform>,
    again: Vec<Erasure>,
) -> Result<(), StartError> {
    // The platform's process has a journal of its own.
    let again: Vec<Erasure> =
        again.into_iter().filter(|one| one.what != Erased::Customer || platform.is_some()).collect();
    if again.is_empty() {
        return Ok(());
    }
    let is_ours = |one: &Erasure| match one.what {
        Erased::Account => plan.roles.contacts,
        Erased::Owner => plan.roles.contacts || plan.roles.platform,
        Erased::Customer => true,
    };
    if !again.iter().all(is_ours) {
        return Err(StartError::ErasedElsewhere);
    }
    tracing::warn!(
        erasures = again.len(),
        "the database is older than its journal of erasures: a backup was restored; those people are erased again"
    );
    for erasure in again {
        let (platform, parts) = (platform.clone(), plan.parts(platform.clone()));
        let write = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            tx.erasures().record_again(&erasure)?;
            match (erasure.what, &platform) {
                (Erased::Account, _) => contacts::account::erase::erase_account(tx, &erasure),
                (Erased::Owner, _) => operator::close(tx, &parts, &erasure, &Actor::Platform).map(drop),
                (Erased::Customer, Some(platform)) => {
                    platform::party::erase_customer(platform, tx, &erasure, &Actor::Platform)
                }
                (Erased::Customer, None) => Ok(()),
            }
        };
        store.write::<_, StoreError, _>(write).await.map_err(OpenError::from)?;
    }
    Ok(())
}
