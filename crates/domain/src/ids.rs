//! Ids: newtypes over time-ordered UUIDs, so that one cannot be passed for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

id! {
    /// A person registered here.
    SubscriberId;
    /// One attempt to sign in by a code.
    RegistrationId;
    /// One signed-in device.
    SessionId;
    /// What a subscriber has subscribed to, as the exchange knows it.
    SubscriptionId;
    /// An order as the exchange and the terminal know it.
    OrderId;
    /// An order as the platform knows it (TM Forum: product order).
    ProductOrderId;
    /// A subscription as the platform knows it (TM Forum: product).
    ProductId;
    /// A text message on its way out, or one that came in.
    TextId;
    /// A listener registered at the platform's hub.
    HubId;
    /// One event that the platform tells its listeners.
    HubEventId;
}
