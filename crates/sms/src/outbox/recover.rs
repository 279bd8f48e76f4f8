//! What an earlier process left behind.

use std::sync::Arc;

use store::texts::SettledText;

use super::policy::{Verdict, after_silence};
use crate::persist::{count, insist, tell};
use crate::role::Room;

/// Decides about every text that is still marked sent: whoever sent it is gone, and with it the answer.
/// Runs before the first text is taken.
pub(crate) async fn recover(room: &Arc<Room>) {
    let world = room.world.clone();
    let settled = insist(&room.store, "recover", move |tx| {
        let mut settled: Vec<SettledText> = Vec::new();
        for text in tx.texts().take_unanswered(world.now())? {
            match after_silence(&text, &world) {
                Verdict::Again { at, .. } => tx.texts().requeue(text.id, at)?,
                Verdict::Settle(state) => settled.extend(tx.texts().settle(text.id, state)?),
            }
        }
        for text in &settled {
            tell(tx, text, world.now())?;
        }
        Ok(settled)
    })
    .await;
    let settled = settled.unwrap_or_default();
    if !settled.is_empty() {
        tracing::warn!(sms.texts = settled.len(), "texts sent before the restart have an unknown outcome");
    }
    for text in &settled {
        count(text);
        room.teller.stands(text.id, text.state, None);
    }
}
