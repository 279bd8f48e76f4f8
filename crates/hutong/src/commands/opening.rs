//! Opening the store of an installation: to work on it while no server runs, or to look beside servers.

use secrecy::ExposeSecret;
use store::{MasterKey, OpenError, Store};

use crate::config::Config;
use crate::failure::Failure;

/// Opens what the configuration names, which nobody else may have open where it is embedded; makes it where there is
/// nothing yet.
///
/// # Errors
/// A [`Failure`] that says what to do.
pub(super) async fn open(config: &Config) -> Result<Store, Failure> {
    let world = crate::world::system();
    let master = MasterKey::in_file(config.key_file());
    let store = match &config.database {
        Some(url) => Store::open_postgres(url.expose_secret(), &master, world).await,
        None => Store::open_embedded(&config.data, &master, world),
    };
    store.map_err(unopened)
}

/// As [`open`], but there must be a key file: nothing is to be made.
///
/// # Errors
/// As [`open`].
pub(super) async fn open_made(config: &Config) -> Result<Store, Failure> {
    let master = MasterKey::in_file(config.key_file());
    master.load(false, &crate::world::system()).map_err(|error| unopened(error.into()))?;
    open(config).await
}

fn unopened(error: OpenError) -> Failure {
    Failure::user("the store cannot be opened").because(&error)
}

/// Opens what the configuration names for reading alone.
///
/// # Errors
/// The store's, which says what to do.
pub(super) async fn look(config: &Config) -> Result<Store, OpenError> {
    let world = crate::world::system();
    let master = MasterKey::in_file(config.key_file());
    match &config.database {
        Some(url) => Store::look_postgres(url.expose_secret(), &master, world).await,
        None => Store::look_embedded(&config.data, &master, world),
    }
}
