//! What time brings about, whether the centre is there or not.

use std::sync::Arc;
use std::time::Duration;

use store::StoreError;
use store::texts::QueueOutlook;
use tokio_util::sync::CancellationToken;

use crate::outbox::take_over;
use crate::persist::{count, tell};
use crate::role::Room;

/// Texts live for minutes at least, so a second late is early enough.
const EVERY: Duration = Duration::from_secs(1);

/// Ends queued texts whose time has run out, and keeps the queue's age for the metrics.
pub(crate) async fn run(room: Arc<Room>, stopping: CancellationToken) {
    let mut well = true;
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        room.centres.iter().for_each(|centre| centre.parked.prune(room.world.now()));
        match look(&room).await {
            Ok(()) => well = true,
            Err(error) => {
                // The store is away for many rounds or for none.
                if std::mem::replace(&mut well, false) {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the queue of texts cannot be looked at"
                    );
                }
            }
        }
    }
}

async fn look(room: &Room) -> Result<(), StoreError> {
    let QueueOutlook { queued, oldest, next_expiry } =
        room.store.read::<_, StoreError, _>(|view| view.texts().outlook()).await?;
    let age_s = oldest.map_or(0, |oldest| room.world.seconds_since(oldest));
    metrics::gauge!("sms_queue_oldest_s").set(age_s as f64);
    metrics::gauge!("sms_queued").set(queued as f64);
    room.link.queued(queued.unsigned_abs(), rate(room));
    take_over(room).await?;
    if room.store.is_shared() {
        for centre in &room.centres {
            room.unpark(centre).await?;
        }
    }
    let now = room.world.now();
    if next_expiry.is_none_or(|next| next > now) {
        return Ok(());
    }
    let write = move |tx: &mut store::Tx<'_>| {
        let expired = tx.texts().expire()?;
        for text in &expired {
            tell(tx, text, now)?;
        }
        Ok::<_, StoreError>(expired)
    };
    for text in room.store.write(write).await? {
        room.progress.forget(text.id);
        count(&text);
        room.teller.stands(text.id, text.state, None);
    }
    Ok(())
}

/// Texts that leave in a second while every bind is there; 0 is without limit.
fn rate(room: &Room) -> u32 {
    let rates = room.posts.iter().filter(|post| post.kind.sends()).map(|post| post.rate.now());
    rates.reduce(|sum, rate| if sum == 0 || rate == 0 { 0 } else { sum.saturating_add(rate) }).unwrap_or(0)
}
