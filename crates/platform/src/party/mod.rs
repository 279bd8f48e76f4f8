//! TMF632, TMF669 and TMF644: people, the parts they play, and what they agreed to. They are read here and come to be
//! elsewhere; people can be erased.

mod erase;
mod read;

use axum::Router;
use axum::routing::get;
use tmf::paths::{
    INDIVIDUAL, PARTY, PARTY_MANAGEMENT, PARTY_PRIVACY_AGREEMENT, PARTY_ROLE, PARTY_ROLE_RESOURCE, PRIVACY,
};

use crate::Platform;

pub use erase::erase_customer;

pub(crate) fn routes() -> Router<Platform> {
    let router = Router::new()
        .route(&format!("{PARTY_ROLE}{PARTY_ROLE_RESOURCE}"), get(read::roles))
        .route(&format!("{PARTY_ROLE}{PARTY_ROLE_RESOURCE}/{{id}}"), get(read::a_role))
        .route(&format!("{PRIVACY}{PARTY_PRIVACY_AGREEMENT}"), get(read::agreements))
        .route(&format!("{PRIVACY}{PARTY_PRIVACY_AGREEMENT}/{{id}}"), get(read::an_agreement));
    [PARTY, PARTY_MANAGEMENT].into_iter().fold(router, |router, base| {
        router
            .route(&format!("{base}{INDIVIDUAL}"), get(read::individuals))
            .route(&format!("{base}{INDIVIDUAL}/{{id}}"), get(read::an_individual).delete(erase::erase))
    })
}
