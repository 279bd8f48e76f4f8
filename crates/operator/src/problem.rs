//! What went wrong, as an answer.

use api::Code;
use edge::Problem;
use store::StoreError;

/// A refusal of this interface, or of the store.
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
            Refused::Store(error) if error.is_retryable() => {
                Self::new(Code::StoreUnavailable, "The store is busy; send the same again in a moment.")
                    .retry_after_s(1)
                    .because(error)
            }
            Refused::Store(error) => Self::internal(error),
        }
    }
}
