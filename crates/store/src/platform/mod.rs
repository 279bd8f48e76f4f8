//! What the platform role keeps.

use crate::store::room;

room! {
    /// Reads what the platform role keeps.
    PlatformView,
    /// Writes what the platform role keeps.
    PlatformTx
}
