//! Which texts are in somebody's hands here, over all binds.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::ids::TextId;

/// Every text that a bind of this process has taken and not yet written down.
#[derive(Default)]
pub(crate) struct Hands {
    texts: Mutex<HashSet<TextId>>,
    /// Held from a taking to its entry here, so that nobody finds a text marked sent in nobody's hands that
    /// has only just been taken.
    pub(super) taking: tokio::sync::Mutex<()>,
    doubt: AtomicBool,
}

impl Hands {
    fn texts(&self) -> MutexGuard<'_, HashSet<TextId>> {
        // No code panics between two changes that belong together.
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self, id: TextId) {
        self.texts().insert(id);
    }

    pub(super) fn lay_down(&self, id: TextId) {
        self.texts().remove(&id);
    }

    pub(super) fn all(&self) -> Vec<TextId> {
        self.texts().iter().copied().collect()
    }

    /// Says that a text may be marked sent without being in anybody's hands.
    pub(super) fn doubt(&self) {
        self.doubt.store(true, Ordering::Release);
    }

    /// Whether one may be; the doubt is then with whoever asked.
    pub(super) fn take_doubt(&self) -> bool {
        self.doubt.swap(false, Ordering::AcqRel)
    }
}
