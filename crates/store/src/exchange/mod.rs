//! What the exchange role keeps.

use crate::store::room;

room! {
    /// Reads what the exchange role keeps.
    ExchangeView,
    /// Writes what the exchange role keeps.
    ExchangeTx
}
