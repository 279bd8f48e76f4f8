//! TMF620: the catalogue.

mod list;
mod show;

use axum::Router;
use axum::routing::get;
use tmf::paths::{CATALOGUE, PRODUCT_OFFERING};

use crate::Platform;

pub(crate) fn routes() -> Router<Platform> {
    Router::new()
        .route(&format!("{CATALOGUE}{PRODUCT_OFFERING}"), get(list::list))
        .route(&format!("{CATALOGUE}{PRODUCT_OFFERING}/{{id}}"), get(show::show))
}
