//! What is marked sent and in nobody's hands: an earlier process left it behind, or a lost answer of the store.
//!
//! Where other processes may have texts in hand too, only what was taken so long ago is taken for lost that whoever took
//! it has died, or may not send it any more.

use std::sync::Arc;

use domain::ids::TextId;
use domain::limits;
use domain::world::{World, after_seconds};
use jiff::Timestamp;
use store::texts::SettledText;
use store::{StoreError, Tx};

use super::policy::{Verdict, after_silence};
use crate::persist::{count, insist, tell};
use crate::role::Room;

/// Decides about every text that is still marked sent: whoever sent it is gone, and with it the answer.
/// Runs before the first text is taken.
pub(crate) async fn recover(room: &Arc<Room>) {
    let (world, until) = (room.world.clone(), taken_until(room));
    let settled = insist(&room.store, "recover", move |tx| decide(tx, &world, until, &[])).await;
    report(room, &settled.unwrap_or_default());
}

/// Until when a text was taken that may be taken for lost though it is in nobody's hands here; any time, where
/// nobody else can have it.
fn taken_until(room: &Room) -> Option<Timestamp> {
    room.store.is_shared().then(|| lease_began(room))
}

/// When a text was taken whose lease ends now.
fn lease_began(room: &Room) -> Timestamp {
    after_seconds(room.world.now(), -limits::TEXT_LEASE_S)
}

/// Takes over the texts of other processes that have died, or are as good as dead.
pub(crate) async fn take_over(room: &Room) -> Result<(), StoreError> {
    let oldest = room.store.read::<_, StoreError, _>(|view| view.texts().oldest_unanswered()).await?;
    let (world, until) = (room.world.clone(), lease_began(room));
    if oldest.is_none_or(|oldest| oldest > until) {
        return Ok(());
    }
    let _taking = room.hands.taking.lock().await;
    let in_hand = room.hands.all();
    let settled = room.store.write(move |tx| decide(tx, &world, Some(until), &in_hand)).await?;
    report(room, &settled);
    Ok(())
}

/// Decides about every text that is marked sent and in nobody's hands: the commit that marked it came
/// about, and the store said that it had failed.
pub(crate) async fn reclaim(room: &Arc<Room>, in_hand: Vec<TextId>) -> Result<(), StoreError> {
    let (world, until) = (room.world.clone(), taken_until(room));
    let settled = room.store.write(move |tx| decide(tx, &world, until, &in_hand)).await?;
    report(room, &settled);
    Ok(())
}

fn decide(
    tx: &mut Tx<'_>,
    world: &World,
    until: Option<Timestamp>,
    in_hand: &[TextId],
) -> Result<Vec<SettledText>, StoreError> {
    let mut settled: Vec<SettledText> = Vec::new();
    for text in tx.texts().list_unanswered(until)? {
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
