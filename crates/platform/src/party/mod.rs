//! TMF632: people, of whom nothing is shown here; they can be erased.

mod erase;

use axum::Router;
use axum::routing::delete;
use tmf::paths::{INDIVIDUAL, PARTY};

use crate::Platform;

pub use erase::erase_customer;

pub(crate) fn routes() -> Router<Platform> {
    Router::new().route(&format!("{PARTY}{INDIVIDUAL}/{{id}}"), delete(erase::erase))
}
