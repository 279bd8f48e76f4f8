//! The order's life: states, transitions, and what the subscriber sees of them.
//!
//! Source: TM Forum TMF622 v4, order life cycle; TMF637 v4, product life cycle.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every one, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used outside and at rest.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word back.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// The state of a product order at the platform, in TM Forum's words.
    OrderState {
        /// Taken, not yet begun.
        Acknowledged = "acknowledged",
        /// Refused at once.
        Rejected = "rejected",
        /// Waiting for the subscriber's answer.
        Pending = "pending",
        /// Being carried out.
        InProgress = "inProgress",
        /// Carrying out has stopped and is tried again.
        Held = "held",
        /// A cancellation is being looked at.
        AssessingCancellation = "assessingCancellation",
        /// A cancellation has been granted.
        PendingCancellation = "pendingCancellation",
        /// Done.
        Completed = "completed",
        /// Some items done, some not.
        Partial = "partial",
        /// Could not be carried out.
        Failed = "failed",
        /// Ended without effect.
        Cancelled = "cancelled",
    }
}

impl OrderState {
    /// The states an order can be born in.
    pub const INITIAL: [Self; 2] = [Self::Acknowledged, Self::Rejected];

    /// Where an order may go from here; empty for a final state.
    pub fn next(self) -> &'static [Self] {
        use OrderState::*;
        match self {
            Acknowledged => &[InProgress, Pending],
            InProgress => &[Pending, Held, AssessingCancellation, Completed, Failed, Partial],
            Pending => &[InProgress, AssessingCancellation, Cancelled],
            Held => &[InProgress, AssessingCancellation, Cancelled],
            AssessingCancellation => &[Pending, Held, InProgress, PendingCancellation],
            PendingCancellation => &[Cancelled],
            Rejected | Cancelled | Completed | Failed | Partial => &[],
        }
    }

    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        self.next().is_empty()
    }

    /// What the subscriber is shown.
    pub fn progress(self) -> Progress {
        use OrderState::*;
        match self {
            Acknowledged => Progress::Forwarded,
            Pending => Progress::AwaitingConfirmation,
            InProgress | Held | AssessingCancellation | PendingCancellation => Progress::InProgress,
            Completed => Progress::Completed,
            Partial => Progress::Partial,
            Rejected => Progress::Rejected,
            Cancelled => Progress::Cancelled,
            Failed => Progress::Failed,
        }
    }
}

words! {
    /// The order as the subscriber sees it.
    Progress {
        /// Taken by the exchange, not yet at the platform.
        Queued = "queued",
        /// The platform has it.
        Forwarded = "forwarded",
        /// A text with a code is on its way or waits for its answer.
        AwaitingConfirmation = "awaiting_confirmation",
        /// Being carried out, held or being cancelled.
        InProgress = "in_progress",
        /// Done.
        Completed = "completed",
        /// Some items done, some not.
        Partial = "partial",
        /// Refused by the platform.
        Rejected = "rejected",
        /// Ended without effect.
        Cancelled = "cancelled",
        /// Could not be carried out.
        Failed = "failed",
    }
}

impl Progress {
    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        use Progress::*;
        matches!(self, Completed | Partial | Rejected | Cancelled | Failed)
    }
}

words! {
    /// The state of a product (a subscription at the platform), in TM Forum's words.
    ProductState {
        /// Written down, not begun.
        Created = "created",
        /// Being activated.
        PendingActive = "pendingActive",
        /// In use.
        Active = "active",
        /// Kept, but not in use.
        Suspended = "suspended",
        /// Ends at the close of its period.
        PendingTerminate = "pendingTerminate",
        /// Never came to be.
        Aborted = "aborted",
        /// Withdrawn before it came to be.
        Cancelled = "cancelled",
        /// Ended.
        Terminated = "terminated",
    }
}

impl ProductState {
    /// Where a product may go from here; empty for a final state.
    pub fn next(self) -> &'static [Self] {
        use ProductState::*;
        match self {
            Created => &[PendingActive, Active],
            PendingActive => &[Active, Aborted, Cancelled],
            Active => &[Suspended, PendingTerminate, Terminated],
            Suspended => &[Active],
            PendingTerminate => &[Terminated, Active],
            Aborted | Cancelled | Terminated => &[],
        }
    }

    /// Whether it holds the claim of its subscriber on its offering.
    pub fn is_live(self) -> bool {
        use ProductState::*;
        matches!(self, Created | PendingActive | Active | Suspended | PendingTerminate)
    }
}

words! {
    /// What an order asks for.
    OrderAction {
        /// To subscribe.
        Add = "add",
        /// To unsubscribe.
        Delete = "delete",
    }
}

words! {
    /// Why an order did not end as it was meant.
    Reason {
        /// The balance, the spending cap or a bar stands against it.
        PayerCheckFailed = "PAYER_CHECK_FAILED",
        /// The subscriber has a service that excludes it.
        ConflictingService = "CONFLICTING_SERVICE",
        /// Price or terms are not those on the card that was tapped.
        OfferingChanged = "OFFERING_CHANGED",
        /// The subscriber has it.
        AlreadySubscribed = "ALREADY_SUBSCRIBED",
        /// An order for it is open.
        OrderOpen = "ORDER_OPEN",
        /// No contract with its provider is in force.
        ProviderNotDesignated = "PROVIDER_NOT_DESIGNATED",
        /// Unknown, or not on sale now.
        OfferingNotAvailable = "OFFERING_NOT_AVAILABLE",
        /// The answer was not the code.
        ConfirmationMismatch = "CONFIRMATION_MISMATCH",
        /// The subscriber answered no.
        UserDeclined = "USER_DECLINED",
        /// No answer in time.
        ConfirmationTimeout = "CONFIRMATION_TIMEOUT",
        /// The confirmation text could not be delivered.
        TextUndeliverable = "TEXT_UNDELIVERABLE",
        /// The provider could not start the service.
        ActivationFailed = "ACTIVATION_FAILED",
        /// The platform could not be reached for too long.
        PlatformUnreachable = "PLATFORM_UNREACHABLE",
        /// The subscriber cancelled it.
        UserCancelled = "USER_CANCELLED",
        /// The number went to somebody else.
        NumberReassigned = "NUMBER_REASSIGNED",
        /// The SIM was swapped a short while ago: whoever has it may not be the subscriber.
        SimSwapped = "SIM_SWAPPED",
        /// The network did not say in time whether the SIM was swapped.
        SimUnchecked = "SIM_UNCHECKED",
        /// There is nothing to unsubscribe from.
        NotSubscribed = "NOT_SUBSCRIBED",
        /// The subscriber is in another short-number group.
        InAnotherGroup = "IN_ANOTHER_GROUP",
        /// The friend's group has no room.
        GroupFull = "GROUP_FULL",
        /// The friend is no longer in the group.
        FriendLeftGroup = "FRIEND_LEFT_GROUP",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn table() -> serde_json::Value {
        serde_json::from_str(include_str!("../tests/fixtures/order_transitions.json")).unwrap()
    }

    #[test]
    fn the_order_table_is_the_standards() {
        let table = table();
        for from in OrderState::ALL {
            let mut wanted: Vec<_> =
                table[from.word()].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
            let mut have: Vec<_> = from.next().iter().map(|to| to.word()).collect();
            wanted.sort_unstable();
            have.sort_unstable();
            assert_eq!(have, wanted, "{from:?}");
        }
    }

    #[test]
    fn the_product_table_is_the_standards_and_a_withdrawn_termination() {
        let mut wanted: BTreeMap<String, Vec<String>> =
            serde_json::from_value(table()["_product"].clone()).unwrap();
        // platform.md adds the way back: ordering again before the end withdraws the termination.
        wanted.get_mut("pendingTerminate").unwrap().push("active".to_owned());
        for from in ProductState::ALL {
            let have: Vec<_> = from.next().iter().map(|to| to.word().to_owned()).collect();
            assert_eq!(have, wanted[from.word()], "{from:?}");
        }
    }

    #[test]
    fn final_for_the_platform_is_final_for_the_subscriber() {
        for state in OrderState::ALL {
            assert_eq!(state.is_final(), state.progress().is_final(), "{state:?}");
        }
    }
}
