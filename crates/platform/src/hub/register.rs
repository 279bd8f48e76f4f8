//! POST hub: somebody wants to be told of events.

use axum::response::Response;
use domain::ids::HubId;
use domain::limits;
use http::Uri;
use store::platform::HubListenerRow;
use tmf::paths::HUB;
use tmf::{HubListener, HubRequest};

use crate::Platform;
use crate::lists::{Body, created};
use crate::refusal::Refusal;

/// Far above any address or filter that means something.
const TEXT_BYTES_MAX: usize = 2_048;

pub(crate) async fn register(
    platform: Platform,
    interface: &'static str,
    Body(request): Body<HubRequest>,
) -> Result<Response, Refusal> {
    let query = request.query.unwrap_or_default();
    if request.callback.len() > TEXT_BYTES_MAX || query.len() > TEXT_BYTES_MAX {
        return Err(Refusal::body("callback and query must have at most 2048 characters each"));
    }
    let address: Uri = request.callback.parse().map_err(|_| Refusal::callback())?;
    let whole = address.scheme().is_some() && address.authority().is_some() && address.query().is_none();
    if !whole || platform.callbacks.transport(&request.callback).is_none() {
        return Err(Refusal::callback());
    }
    let (store, world) = (platform.store.clone(), platform.world.clone());
    let callback = request.callback;
    let listener = store
        .write(move |tx| {
            let listeners = tx.platform().list_listeners(interface)?;
            let known = listeners.iter().any(|row| row.callback == callback && row.query == query);
            if !known && listeners.len() >= limits::count(limits::HUB_LISTENERS_MAX) {
                return Err(Refusal::state(
                    "the hub has as many listeners as it can serve; remove one first",
                ));
            }
            let id = HubId(world.uuid());
            let (interface, callback, query) = (interface.to_owned(), callback.clone(), query.clone());
            Ok(tx.platform().put_listener(&HubListenerRow { id, interface, callback, query })?)
        })
        .await?;
    let location = format!("{interface}{HUB}/{}", listener.id);
    let query = Some(listener.query).filter(|query| !query.is_empty());
    Ok(created(&HubListener { id: listener.id.to_string(), callback: listener.callback, query }, &location))
}
