//! Writing down what has happened already: it must not be lost because the store is away for a while.

use std::time::Duration;

use serde::Serialize;
use store::jobs::JobKind;
use store::texts::SettledText;
use store::{Store, StoreError, Tx};

/// The pauses between tries, growing from the first to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_LONGEST: Duration = Duration::from_secs(5);

/// What a `TextSettled` job is about.
#[derive(Serialize)]
struct TextSettled<'a> {
    reference: &'a str,
    state: &'static str,
}

/// Tells whoever waits for a text, in the commit that changes it.
pub(crate) fn tell(tx: &mut Tx<'_>, text: &SettledText, now: jiff::Timestamp) -> Result<(), StoreError> {
    let Some(reference) = &text.reference else { return Ok(()) };
    let payload = TextSettled { reference, state: text.state.word() };
    tx.jobs().enqueue(JobKind::TextSettled, &payload, now)
}

/// Counts a text's step.
pub(crate) fn count(text: &SettledText) {
    metrics::counter!("sms_texts_total", "purpose" => text.purpose.word(), "outcome" => text.state.word())
        .increment(1);
}

/// Writes until the store takes it; `None` when it never will. What stays unwritten is still marked sent
/// and found by the next start.
pub(crate) async fn insist<T, F>(store: &Store, what: &'static str, write: F) -> Option<T>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Clone + Send + 'static,
    T: Send + 'static,
{
    let mut pause = PAUSE_FIRST;
    let mut told = false;
    loop {
        let error = match store.write(write.clone()).await {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        if !report(what, &error, !std::mem::replace(&mut told, true)) {
            return None;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_LONGEST);
    }
}

/// Logs a failed write, a passing trouble once; tells whether another try is worth while.
fn report(what: &'static str, error: &StoreError, news: bool) -> bool {
    let again = error.is_retryable();
    let error: &dyn std::error::Error = error;
    if !again {
        tracing::error!(sms.write = what, error, "the outcome of a text could not be written down");
    } else if news {
        tracing::warn!(sms.write = what, error, "the outcome of a text waits for the store");
    }
    again
}
