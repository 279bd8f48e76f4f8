//! What the centre delivers: texts from phones, and receipts.

mod parked;
mod parts;
mod receipts;
mod texts;

use std::sync::Arc;

use smpp::{BoxFuture, DeliverAck, Delivered, Inbound, SubmitError};

pub(crate) use parked::Parked;
pub(crate) use parts::Parts;

use crate::role::Room;

/// Takes deliveries for one role.
pub(crate) struct Inbox(pub(crate) Arc<Room>);

impl Inbound for Inbox {
    fn deliver(&self, delivered: Delivered) -> BoxFuture<'_, DeliverAck> {
        Box::pin(async move {
            match delivered {
                Delivered::Receipt(receipt) => receipts::take(&self.0, &receipt).await,
                Delivered::Text(text) => texts::take(&self.0, text).await,
                Delivered::Unreadable { raw } => {
                    tracing::warn!(
                        smpp.octets = raw.len(),
                        "a delivery from the centre cannot be read and was refused"
                    );
                    count("unreadable");
                    DeliverAck::Refused
                }
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
            self.0.accepted(id, vec![message_id]).await;
        })
    }
}

/// Counts a delivery.
fn count(outcome: &'static str) {
    metrics::counter!("sms_inbound_total", "outcome" => outcome).increment(1);
}
