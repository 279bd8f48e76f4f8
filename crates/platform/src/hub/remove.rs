//! DELETE hub/{id}: somebody no longer wants to be told.

use domain::ids::HubId;

use crate::Platform;
use crate::lists::{Gone, Id};
use crate::refusal::Refusal;

pub(crate) async fn remove(platform: Platform, interface: &'static str, id: Id) -> Result<Gone, Refusal> {
    let id: HubId = id.read()?;
    let removed = platform.store.write(move |tx| tx.platform().remove_listener(interface, id)).await?;
    if removed { Ok(Gone) } else { Err(Refusal::not_found()) }
}
