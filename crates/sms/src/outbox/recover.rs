//! What is marked sent and in nobody's hands: an earlier process left it behind, or a lost answer of the store.

use std::sync::Arc;

use domain::ids::TextId;
use domain::world::World;
use store::texts::SettledText;
use store::{StoreError, Tx};

use super::policy::{Verdict, after_silence};
use crate::persist::{count, insist, tell};
use crate::role::Room;

/// Decides about every text that is still marked sent: whoever sent it is gone, and with it the answer.
/// Runs before the first text is taken.
pub(crate) async fn recover(room: &Arc<Room>) {
    let world = room.world.clone();
    let settled = insist(&room.store, "recover", move |tx| decide(tx, &world, &[])).await;
    report(room, &settled.unwrap_or_default());
}

/// Decides about every text that is marked sent and in nobody's hands: the commit that marked it came
/// about, and the store said that it had failed.
pub(crate) async fn reclaim(room: &Arc<Room>, in_hand: Vec<TextId>) -> Result<(), StoreError> {
    let world = room.world.clone();
    let settled = room.store.write(move |tx| decide(tx, &world, &in_hand)).await?;
    report(room, &settled);
    Ok(())
}

fn decide(tx: &mut Tx<'_>, world: &World, in_hand: &[TextId]) -> Result<Vec<SettledText>, StoreError> {
    let mut settled: Vec<SettledText> = Vec::new();
    for text in tx.texts().list_unanswered()? {
        if in_hand.contains(&text.id) {
            continue;
        }
        match after_silence(&text, world) {
            Verdict::Again { at, .. } => tx.texts().requeue(text.id, text.sending, at)?,
            Verdict::Settle(state) => settled.extend(tx.texts().settle(text.id, text.sending, state)?),
        }
    }
    for text in &settled {
        tell(tx, text, world.now())?;
    }
    Ok(settled)
}

fn report(room: &Room, settled: &[SettledText]) {
    if !settled.is_empty() {
        tracing::warn!(sms.texts = settled.len(), "texts that were marked sent have an unknown outcome");
    }
    for text in settled {
        count(text);
        room.teller.stands(text.id, text.state, None);
    }
}
