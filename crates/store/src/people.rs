//! Numbers that may be read again: those of subscribers and customers, sealed beside their keys.

use domain::Msisdn;
use domain::key::ContactKey;
use domain::world::World;

use crate::error::StoreError;
use crate::keys::{Keys, Purpose};

/// Seals a person's own number; bound to their key, so that rows cannot be swapped.
pub(crate) fn seal_number(keys: &Keys, world: &World, number: Msisdn) -> Vec<u8> {
    let key = keys.contact_key(number);
    keys.seal(world, Purpose::Number, &key.value().to_be_bytes(), number.e164().as_bytes())
}

/// Opens a number sealed by [`seal_number`].
pub(crate) fn open_number(keys: &Keys, key: ContactKey, sealed: &[u8]) -> Result<Msisdn, StoreError> {
    let plain = keys.open(Purpose::Number, &key.value().to_be_bytes(), sealed)?;
    let text = std::str::from_utf8(&plain).map_err(|_| StoreError::damaged("a number that is not text"))?;
    Msisdn::parse_e164(text).map_err(|_| StoreError::damaged("a number that is not E.164"))
}
