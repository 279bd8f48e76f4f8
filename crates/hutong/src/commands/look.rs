//! Looking into the store of an installation, beside its servers or without them.

use secrecy::ExposeSecret;
use store::{MasterKey, OpenError, Store};

use crate::config::Config;

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
