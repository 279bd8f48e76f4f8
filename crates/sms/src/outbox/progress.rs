//! Which parts of a long text the centre has already, while the rest waits to be sent again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::ids::TextId;

/// The message ids of the first parts of texts that go on later. In memory alone: after a restart a text
/// is sent whole, and the phone takes the second copy of a part for the first, because its reference is
/// the same.
#[derive(Default)]
pub(crate) struct Progress(Mutex<HashMap<TextId, Vec<String>>>);

impl Progress {
    fn texts(&self) -> MutexGuard<'_, HashMap<TextId, Vec<String>>> {
        // No code panics between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is known of a text: the message ids of its first parts.
    pub(super) fn take(&self, id: TextId) -> Vec<String> {
        self.texts().remove(&id).unwrap_or_default()
    }

    /// Keeps the message ids of a text's first parts for the next try.
    pub(super) fn keep(&self, id: TextId, message_ids: Vec<String>) {
        if !message_ids.is_empty() {
            self.texts().insert(id, message_ids);
        }
    }

    /// Forgets a text that has come to its end.
    pub(crate) fn forget(&self, id: TextId) {
        self.texts().remove(&id);
    }
}
