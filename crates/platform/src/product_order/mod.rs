//! TMF622: orders and their cancellation.

mod cancel;
mod cancellations;
mod change;
mod create;
mod list;
mod remove;
mod show;

use axum::Router;
use axum::routing::{get, post};
use tmf::paths::{CANCEL_PRODUCT_ORDER, ORDERING, PRODUCT_ORDER};

use crate::Platform;

pub(crate) fn routes() -> Router<Platform> {
    Router::new()
        .route(&format!("{ORDERING}{PRODUCT_ORDER}"), post(create::create).get(list::list))
        .route(
            &format!("{ORDERING}{PRODUCT_ORDER}/{{id}}"),
            get(show::show).patch(change::change).delete(remove::remove),
        )
        .route(&format!("{ORDERING}{CANCEL_PRODUCT_ORDER}"), post(cancel::cancel).get(cancellations::list))
        .route(&format!("{ORDERING}{CANCEL_PRODUCT_ORDER}/{{id}}"), get(cancellations::show))
}
