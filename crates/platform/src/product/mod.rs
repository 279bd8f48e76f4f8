//! TMF637: subscriptions.

mod list;
mod show;

use axum::Router;
use axum::routing::get;
use tmf::paths::{INVENTORY, PRODUCT};

use crate::Platform;

pub(crate) fn routes() -> Router<Platform> {
    Router::new()
        .route(&format!("{INVENTORY}{PRODUCT}"), get(list::list))
        .route(&format!("{INVENTORY}{PRODUCT}/{{id}}"), get(show::show))
}
