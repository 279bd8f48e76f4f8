//! The report that compares our events with the charging system's record.

use std::ops::Range;

use domain::charging::ChargeEvent;
use domain::limits;
use domain::reconciliation::{Reconciliation, Report};
use jiff::Timestamp;
use store::{Store, StoreError};
use uuid::Uuid;

use super::ChargeMessage;

/// Events read from the store at a time.
const PAGE: usize = 2_000;

/// Reads a record: one charge event in JSON a line, in the order in which the charging system acted; a
/// blank line is none, a line that is no event is `None`.
pub fn record(bytes: &[u8]) -> Vec<Option<ChargeEvent>> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let read = |line: &[u8]| serde_json::from_slice::<ChargeMessage>(line).ok()?.event();
    lines.map(read).collect()
}

/// Compares every charge event with a record, or those that were caused within a time.
///
/// # Errors
/// The store's.
pub async fn reconcile(
    store: &Store,
    record: Vec<Option<ChargeEvent>>,
    within: Option<Range<Timestamp>>,
) -> Result<Report, StoreError> {
    let comparison = Reconciliation::new(record);
    let mut comparison = match within {
        Some(time) => comparison.within(time),
        None => comparison,
    };
    let mut after = Uuid::nil();
    loop {
        let page = store.read(move |view| view.platform().list_all_charges(after, PAGE)).await?;
        let Some(last) = page.last() else { break };
        after = last.event.id;
        page.iter().for_each(|row| comparison.compare(&row.event, row.delivered));
    }
    Ok(comparison.finish(limits::count(limits::CHARGE_DIFFERENCES_SHOWN_MAX)))
}
