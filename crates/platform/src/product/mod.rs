//! TMF637: subscriptions.

mod change;
mod create;
mod list;
mod remove;
mod show;

use axum::Router;
use axum::routing::get;
use tmf::paths::{INVENTORY, PRODUCT};

use crate::Platform;

pub(crate) fn routes() -> Router<Platform> {
    Router::new().route(&format!("{INVENTORY}{PRODUCT}"), get(list::list).post(create::create)).route(
        &format!("{INVENTORY}{PRODUCT}/{{id}}"),
        get(show::show).patch(change::change).delete(remove::remove),
    )
}
