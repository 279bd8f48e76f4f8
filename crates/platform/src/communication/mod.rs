//! TMF681: the texts sent, and their delivery; and texts that an operator has sent.

mod change;
mod create;
mod list;
mod remove;
mod settle;
mod wire;

use axum::Router;
use axum::routing::get;
use tmf::paths::{COMMUNICATION, COMMUNICATION_MESSAGE};

use crate::Platform;
pub(crate) use settle::message_of;

pub(crate) fn routes() -> Router<Platform> {
    Router::new()
        .route(&format!("{COMMUNICATION}{COMMUNICATION_MESSAGE}"), get(list::list).post(create::create))
        .route(
            &format!("{COMMUNICATION}{COMMUNICATION_MESSAGE}/{{id}}"),
            get(list::show).patch(change::change).delete(remove::remove),
        )
}
