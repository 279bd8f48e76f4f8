//! The hubs of the interfaces: who is told of events.

mod register;
mod remove;

use axum::Router;
use axum::extract::State;
use axum::routing::{delete, post};
use tmf::paths::{CATALOGUE, COMMUNICATION, HUB, INVENTORY, ORDERING};

use crate::Platform;
use crate::lists::Id;

pub(crate) fn routes() -> Router<Platform> {
    [CATALOGUE, ORDERING, INVENTORY, COMMUNICATION].into_iter().fold(Router::new(), |router, interface| {
        let register =
            move |State(platform): State<Platform>, body| register::register(platform, interface, body);
        let remove = move |State(platform): State<Platform>, id: Id| remove::remove(platform, interface, id);
        router
            .route(&format!("{interface}{HUB}"), post(register))
            .route(&format!("{interface}{HUB}/{{id}}"), delete(remove))
    })
}
