//! The steps from a share to a subscription, written down as they happen: row M17 is computed from
//! them and cannot be recovered later.

/// One step of the way from friend to friend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FunnelStep {
    /// A subscriber shared a subscription.
    Shared,
    /// A share stood in a feed that was fetched.
    Seen,
    /// A friend's shares were opened.
    Opened,
    /// An order was placed from a share.
    Tapped,
    /// The platform took the order.
    Forwarded,
    /// A confirmation text was written.
    Prompted,
    /// The person answered it.
    Replied,
    /// A subscription began.
    Active,
    /// A subscription ended, or an order ended without one.
    Ended,
}

impl FunnelStep {
    /// The word at rest and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Seen => "seen",
            Self::Opened => "opened",
            Self::Tapped => "tapped",
            Self::Forwarded => "forwarded",
            Self::Prompted => "prompted",
            Self::Replied => "replied",
            Self::Active => "active",
            Self::Ended => "ended",
        }
    }
}
