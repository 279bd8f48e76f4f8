//! POST /operator/v1/seed.

use api::problem::Code;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use domain::limits;
use edge::Problem;
use store::audit::Actor;

use super::{SeedError, seed};
use crate::Platform;

/// More faults than a person reads; the count says how many there were.
const FAULTS_SHOWN_MAX: usize = 1_000;

pub(crate) fn routes() -> Router<Platform> {
    Router::new()
        .route("/operator/v1/seed", post(take))
        .layer(DefaultBodyLimit::max(limits::count(limits::SEED_BYTES_MAX)))
}

async fn take(State(platform): State<Platform>, body: Bytes) -> Response {
    match seed(&platform, &body, Actor::Operator("all".to_owned())).await {
        Ok(report) => axum::Json(report).into_response(),
        Err(SeedError::Faults(faults)) => {
            let detail = format!(
                "The seed has {} faults and changed nothing; mend them and send it again.",
                faults.len()
            );
            let problem = Problem::new(Code::RequestInvalid, detail);
            let shown = faults.into_iter().take(FAULTS_SHOWN_MAX);
            shown.fold(problem, |problem, fault| problem.field(fault.place, fault.problem)).into_response()
        }
        Err(SeedError::Store(error)) if error.is_retryable() => {
            Problem::new(Code::StoreUnavailable, "The store is busy; send the seed again in a moment.")
                .retry_after_s(1)
                .because(error)
                .into_response()
        }
        Err(SeedError::Store(error)) => Problem::internal(error).into_response(),
    }
}
