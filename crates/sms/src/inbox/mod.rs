//! What the centre delivers: texts from phones, and receipts.

mod parked;
mod receipts;
mod texts;
mod unread;

use std::sync::Arc;

use smpp::{BoxFuture, DeliverAck, Delivered, Inbound, SubmitError};

pub(crate) use parked::Parked;

use crate::centre::Centre;
use crate::role::Room;

/// Takes the deliveries of one centre.
pub(crate) struct Inbox {
    pub(crate) room: Arc<Room>,
    pub(crate) centre: Arc<Centre>,
}

impl Inbound for Inbox {
    fn deliver(&self, delivered: Delivered) -> BoxFuture<'_, DeliverAck> {
        Box::pin(async move {
            match delivered {
                Delivered::Receipt(receipt) => receipts::take(&self.room, &self.centre, &receipt).await,
                Delivered::Text(text) => texts::take(&self.room, &self.centre, text).await,
                Delivered::Unreadable { raw } => unread::keep(&self.room, &self.centre, raw).await,
            }
        })
    }

    fn answered_late(&self, tag: u128, answer: Result<String, SubmitError>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // The tag is the text's id; an id reads from 32 hexadecimal digits.
            let (Ok(id), Ok(message_id)) = (format!("{tag:032x}").parse(), answer) else {
                // A late refusal changes nothing: the text is unknown, or on its way again.
                return;
            };
            self.room.accepted(&self.centre, id, vec![message_id]).await;
        })
    }
}

/// Counts a delivery.
fn count(outcome: &'static str) {
    metrics::counter!("sms_inbound_total", "outcome" => outcome).increment(1);
}
