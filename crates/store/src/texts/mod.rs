//! Texts out and in: the durable rows under the SMS link.

mod communications;
mod inbox;
mod outbox;
mod parts;

pub use communications::{CommunicationRow, TextRow};
pub use inbox::{COPY_WINDOW_S, InboundText, NewInbound, Unread};
pub use outbox::{
    NewText, OutboundText, QueueOutlook, ReceiptTaken, SettledText, TextOutline, TextPurpose, TextState,
};
pub use parts::{NewPart, PartBody};

use crate::store::room;

room! {
    /// Reads texts.
    TextsView,
    /// Writes texts.
    TextsTx
}
