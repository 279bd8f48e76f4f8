//! A closure on its way to the backend and its answer on the way back, stripped of their types in between.

use tokio::sync::oneshot;

use crate::backend::{ReadUnit, WriteUnit};
use crate::error::{Kind, StoreError};
use crate::store::{Tx, View};

/// What a store says that is closing.
pub(crate) fn gone() -> StoreError {
    StoreError::new(Kind::Unavailable, "the store is closing")
}

/// One closure, its outcome, and whoever waits for that.
pub(crate) struct Unit<F, T, E> {
    pub(crate) closure: F,
    pub(crate) takes: bool,
    pub(crate) outcome: Option<Result<T, E>>,
    pub(crate) reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E: From<StoreError>> Unit<F, T, E> {
    fn answer(self, done: Result<(), StoreError>) {
        let answer = match (self.outcome, done) {
            // What the closure refused stays refused, whatever became of the others' commit.
            (Some(Err(refusal)), _) => Err(refusal),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(error)) => Err(error.into()),
            (None, Ok(())) => Err(gone().into()),
        };
        // Whoever asked may have gone; the write stands all the same.
        let _ = self.reply.send(answer);
    }
}

impl<F, T, E> WriteUnit for Unit<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        self.outcome = None;
        let outcome = (self.closure)(tx);
        self.outcome.insert(outcome).is_ok()
    }

    fn takes(&self) -> bool {
        self.takes
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        self.answer(committed);
    }
}

impl<F, T, E> ReadUnit for Unit<F, T, E>
where
    F: FnMut(&mut View<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, view: &mut View<'_>) {
        self.outcome = Some((self.closure)(view));
    }

    fn finish(self: Box<Self>, done: Result<(), StoreError>) {
        self.answer(done);
    }
}
