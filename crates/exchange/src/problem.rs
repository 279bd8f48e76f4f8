//! What went wrong, as an answer.

use api::Code;
use axum::response::{IntoResponse, Response};
use edge::Problem;
use store::StoreError;

/// A refusal of this role, or of its store.
#[derive(Debug)]
pub(crate) enum Refused {
    Problem(Problem),
    Store(StoreError),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Problem(problem) => problem,
            Refused::Store(error) if error.is_retryable() => Problem::new(
                Code::StoreUnavailable,
                "The store cannot be reached just now. Try again in a moment.",
            )
            .retry_after_s(1)
            .because(error),
            Refused::Store(error) => Problem::internal(error),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
