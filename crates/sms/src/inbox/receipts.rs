//! Receipts: what became of a text sent earlier.

use smpp::{DeliverAck, Receipt, ReceiptState, fold_message_id};
use store::StoreError;
use store::failpoints::{self, Point};
use store::texts::ReceiptTaken;

use super::count;
use crate::centre::Centre;
use crate::news::News;
use crate::persist;
use crate::role::Room;

/// Writes down a final receipt; one whose text is not known yet is parked until the answer has come.
pub(super) async fn take(room: &Room, centre: &Centre, receipt: &Receipt) -> DeliverAck {
    room.teller.tell(|| News::Receipt { message_id: receipt.message_id.clone(), state: receipt.state });
    if !receipt.state.is_final() {
        count("receipt_not_final");
        return DeliverAck::Stored;
    }
    let delivered = receipt.state == ReceiptState::Delivered;
    let message_id = fold_message_id(&receipt.message_id, centre.config.receipt_ids);
    // Parked first: an acceptance that is written meanwhile looks here after its commit.
    centre.parked.park(&message_id, delivered, room.world.now());
    match write(room, centre, message_id.clone(), delivered).await {
        Ok(ReceiptTaken::NotKnown) => {
            count("receipt_parked");
            DeliverAck::Stored
        }
        Ok(taken) => {
            centre.parked.take(&message_id);
            count("receipt");
            if let ReceiptTaken::Settled(text) = &taken {
                persist::count(text);
                room.teller.stands(text.id, text.state, None);
            }
            DeliverAck::Stored
        }
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a receipt could not be stored and is to come again"
            );
            count("try_later");
            DeliverAck::TryLater
        }
    }
}

async fn write(
    room: &Room,
    centre: &Centre,
    message_id: String,
    delivered: bool,
) -> Result<ReceiptTaken, StoreError> {
    let (account, world) = (centre.account.clone(), room.world.clone());
    let write = move |tx: &mut store::Tx<'_>| {
        let taken = tx.texts().receive_receipt(&account, &message_id, delivered)?;
        if let ReceiptTaken::Settled(text) = &taken {
            persist::tell(tx, text, world.now())?;
        }
        Ok(taken)
    };
    failpoints::pass(Point::BeforeReceipt).await?;
    let taken = room.store.write(write).await?;
    failpoints::pass(Point::AfterReceipt).await?;
    Ok(taken)
}
