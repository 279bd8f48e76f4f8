//! Texts out and in: the durable rows under the SMS link.

mod inbox;
mod outbox;

pub use inbox::{COPY_WINDOW_S, InboundText, NewInbound};
pub use outbox::{
    NewText, OutboundText, QueueOutlook, ReceiptTaken, SettledText, TextOutline, TextPurpose, TextState,
};

use crate::store::room;

room! {
    /// Reads texts.
    TextsView,
    /// Writes texts.
    TextsTx
}
