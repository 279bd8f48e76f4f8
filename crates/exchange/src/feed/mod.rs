//! What the caller's matches show them.

pub mod friend;
pub mod list;

use domain::funnel::FunnelStep;
use domain::key::ContactKey;
use edge::{Caller, Paging, Problem};
use store::friends::FeedItem;
use store::{FunnelEvent, Keys, StoreError, Tx};

use crate::Exchange;

/// The share after which a page begins. A cursor is a share's id as this viewer sees it, and stays good
/// when that share is gone.
fn read_cursor(keys: &Keys, caller: &Caller, paging: &Paging) -> Result<Option<i64>, Problem> {
    let cursor: Option<String> = paging.after()?;
    let open = |id: String| keys.open_share_id(caller.key, &id).ok_or_else(edge::cursor::refused);
    Ok(cursor.map(open).transpose()?.map(|(share, _)| share))
}

impl Exchange {
    /// Writes down which shares a viewer has been shown for the first time. A feed that shows nothing
    /// new writes nothing, and a feed is answered even when this cannot be written.
    async fn note_seen(&self, viewer: ContactKey, items: &[FeedItem], opened: bool) {
        let fresh: Vec<FeedItem> = items.iter().filter(|item| opened || !item.seen).cloned().collect();
        if fresh.is_empty() {
            return;
        }
        let step = if opened { FunnelStep::Opened } else { FunnelStep::Seen };
        let write = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            for item in &fresh {
                if tx.exchange().mark_seen(item.share, viewer, opened)? {
                    tx.funnel().record(&FunnelEvent {
                        step,
                        offering: Some(item.card.offering.id.clone()),
                        person: Some(viewer),
                        friend: Some(item.owner),
                        cause: Some(item.share.to_string()),
                    })?;
                }
            }
            Ok(())
        };
        if let Err(error) = self.store.write(write).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "seen shares could not be written down");
        }
    }
}
