//! What nobody can read: kept as it came, and refused, so that the centre does not send it for ever.

use domain::ids::TextId;
use smpp::DeliverAck;
use store::texts::Unread;

use super::count;
use crate::centre::Centre;
use crate::role::Room;

/// Keeps a delivery that cannot be read, and says how to acknowledge it.
pub(super) async fn keep(room: &Room, centre: &Centre, raw: Vec<u8>) -> DeliverAck {
    let unread = Unread { id: TextId(room.world.uuid()), account: centre.account.clone(), octets: raw };
    match room.store.write(move |tx| tx.texts().keep_unread(&unread)).await {
        Ok(_) => refuse(),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a delivery that cannot be read could not be stored either and is to come again"
            );
            count("try_later");
            DeliverAck::TryLater
        }
    }
}

/// Refuses what is kept.
pub(super) fn refuse() -> DeliverAck {
    tracing::warn!("a delivery from the centre cannot be read; it is kept and was refused");
    count("unreadable");
    DeliverAck::Refused
}
