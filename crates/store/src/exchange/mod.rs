//! What the exchange role keeps: subscriptions, cards, shares, orders, event streams.

mod cards;
mod comparison;
mod events;
mod idempotency;
mod orders;
mod shares;
mod subscriptions;

pub use cards::Card;
pub use comparison::Uncompared;
pub use events::{EventKind, StreamEvent};
pub use idempotency::FirstAnswer;
pub use orders::{NewOrder, Order, PlatformNews};
pub use subscriptions::{ProductNews, Subscription};

use crate::store::room;

room! {
    /// Reads what the exchange role keeps.
    ExchangeView,
    /// Writes what the exchange role keeps.
    ExchangeTx
}
