//! What went wrong, as an answer.

use api::Code;
use axum::response::{IntoResponse, Response};
use edge::{Caller, Problem};
use store::{StoreError, Tx};

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

/// Checks, inside the write, that the caller is still signed in: they may have left since the token was
/// looked up, and nothing may be written for somebody who was erased.
pub(crate) fn still_signed_in(tx: &mut Tx<'_>, caller: &Caller) -> Result<(), Refused> {
    if tx.contacts().is_signed_in(caller.key, caller.session)? {
        return Ok(());
    }
    Err(signed_out().into())
}

/// The refusal of a caller who has left since the token was looked up.
pub(crate) fn signed_out() -> Problem {
    Problem::new(Code::AuthInvalid, "The token is not signed in here; sign in again.")
}
