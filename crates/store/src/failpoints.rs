//! Fail points: the places before and after every outside effect, and every commit, of an order's way and of
//! a rotation of the master key, at which a test has the process abort, err or dawdle.
//!
//! Without the feature `failpoints`, which no default contains, they compile to nothing. With it, a point
//! looks at each passing into the file that the environment variable `FAILPOINT_FILE` names. The file
//! arms one point, for one passing: `<point> <passings to let go> <abort|error|delay>`. A point that acts
//! removes the file first, so that whoever armed it sees that it was reached, and a process that is
//! started again passes.

use crate::error::StoreError;

macro_rules! points {
    ($($(#[$which_doc:meta])* $which:ident { $($(#[$doc:meta])* $point:ident = $word:literal;)* })*) => {
        /// Every fail point there is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $($($(#[$doc])* $point,)*)*
        }

        #[cfg(feature = "failpoints")]
        impl Point {
            $($(#[$which_doc])* pub const $which: &[Self] = &[$(Self::$point),*];)*

            /// The word by which a test arms it.
            pub fn word(self) -> &'static str {
                match self { $($(Self::$point => $word,)*)* }
            }
        }
    };
}

points! {
    /// All of an order's way.
    ALL {
        /// The store: writes have run and are not yet durable.
        BeforeCommit = "before-commit";
        /// The store: writes are durable, and nobody has been told.
        AfterCommit = "after-commit";
        /// Platform: a payer is about to be asked about.
        BeforePayerCheck = "before-payer-check";
        /// Platform: the charging system has said whether a payer can pay, and nothing is written.
        AfterPayerCheck = "after-payer-check";
        /// Platform: a charge event is about to be handed over.
        BeforeCharge = "before-charge";
        /// Platform: a charge event is handed over, which is not written.
        AfterCharge = "after-charge";
        /// Platform: a charge event is handed over, which is written.
        ChargeWritten = "charge-written";
        /// Platform: a provider is about to be called.
        BeforeProvisioning = "before-provisioning";
        /// Platform: a provider has answered, which is not written.
        AfterProvisioning = "after-provisioning";
        /// Platform: a provider's answer is written.
        ProvisioningWritten = "provisioning-written";
        /// A job is leased, and its work not begun.
        JobTaken = "job-taken";
        /// A job's work is done, and the job still in the queue unless the work has removed it.
        JobDone = "job-done";
        /// A job is out of the queue, or back in it.
        JobSettled = "job-settled";
        /// Exchange: an order is about to be forwarded.
        BeforeForward = "before-forward";
        /// Exchange: the platform has answered, and the answer is not written.
        AfterForward = "after-forward";
        /// Exchange: the platform's answer is written.
        ForwardWritten = "forward-written";
        /// Platform: an order has come, and is not yet decided.
        BeforeDecision = "before-decision";
        /// Platform: an order is decided and durable, and not yet answered.
        AfterDecision = "after-decision";
        /// Platform: a listener is about to be told.
        BeforeTelling = "before-telling";
        /// Platform: a listener has been told, which is not written.
        AfterTelling = "after-telling";
        /// Platform: a listener has been told, which is written.
        TellingWritten = "telling-written";
        /// Exchange: an event is stored, and the hub not yet answered.
        EventHeard = "event-heard";
        /// SMS: a part of a text is about to go to the centre.
        BeforeSubmit = "before-submit";
        /// SMS: the centre has answered, and the answer is not written.
        AfterSubmit = "after-submit";
        /// SMS: the outcome of a text is written.
        OutcomeWritten = "outcome-written";
        /// SMS: a text has come in, and is not yet stored.
        BeforeInbox = "before-inbox";
        /// SMS: a text is stored, and the centre not yet told so.
        AfterInbox = "after-inbox";
        /// SMS: a receipt has come in, and is not yet stored.
        BeforeReceipt = "before-receipt";
        /// SMS: a receipt is stored, and the centre not yet told so.
        AfterReceipt = "after-receipt";
        /// Platform: a reply is about to be acted on.
        BeforeReply = "before-reply";
        /// Platform: a reply has been acted on.
        AfterReply = "after-reply";
    }
    /// Those of an erasure alone; it passes commits and a job as well.
    ERASURE {
        /// Store: an erasure is committed, and not in the journal.
        ErasureCommitted = "erasure-committed";
        /// Store: an erasure is in the journal, and not acknowledged.
        ErasureJournalled = "erasure-journalled";
        /// Exchange: the platform is about to be told of an erasure.
        BeforeErasing = "before-erasing";
        /// Exchange: the platform has erased, and the job stands.
        AfterErasing = "after-erasing";
    }
    /// Those of a rotation of the master key alone; it passes a commit as well.
    ROTATION {
        /// Keys: a rotation has the lock, and nothing is written.
        RotationBegun = "rotation-begun";
        /// Keys: the key file to be lies beside the one that is.
        KeyFileAside = "key-file-aside";
        /// Keys: the key file holds both secrets, and the database knows one.
        KeyFileHoldsBoth = "key-file-holds-both";
        /// Keys: the database has the seed under the new secret alone.
        SealReplaced = "seal-replaced";
        /// Keys: the key file holds the new secret alone.
        KeyFileSettled = "key-file-settled";
        /// Keys: nothing is left of the old seal, and that is not written.
        OldSealOverwritten = "old-seal-overwritten";
    }
}

/// Passes a point, on a thread that may wait.
///
/// # Errors
/// Unavailable, where a test wants it so.
#[cfg(feature = "failpoints")]
pub(crate) fn pass_blocking(point: Point) -> Result<(), StoreError> {
    act(point).map_or(Ok(()), |action| {
        if action == Action::Delay {
            std::thread::sleep(armed::DELAY);
        }
        action.outcome()
    })
}

/// Passes a point, on a thread that may wait.
///
/// # Errors
/// None.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub(crate) fn pass_blocking(_: Point) -> Result<(), StoreError> {
    Ok(())
}

/// Passes a point.
///
/// # Errors
/// Unavailable, where a test wants it so.
#[cfg(feature = "failpoints")]
pub async fn pass(point: Point) -> Result<(), StoreError> {
    let Some(action) = act(point) else { return Ok(()) };
    if action == Action::Delay {
        tokio::time::sleep(armed::DELAY).await;
    }
    action.outcome()
}

/// Passes a point.
///
/// # Errors
/// None.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub async fn pass(_: Point) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(feature = "failpoints")]
use armed::{Action, act};

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::{LazyLock, Mutex, PoisonError};
    use std::time::Duration;

    use super::Point;
    use crate::error::{Kind, StoreError};

    /// Long enough that whatever runs beside it comes first.
    pub(super) const DELAY: Duration = Duration::from_millis(300);

    static FILE: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("FAILPOINT_FILE").ok());
    /// What was armed last, and how often its point was passed since.
    static PASSED: Mutex<(String, u64)> = Mutex::new((String::new(), 0));

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum Action {
        Abort,
        Error,
        Delay,
    }

    impl Action {
        pub(super) fn outcome(self) -> Result<(), StoreError> {
            match self {
                Self::Abort => std::process::abort(),
                Self::Error => Err(StoreError::new(Kind::Unavailable, "a fail point")),
                Self::Delay => Ok(()),
            }
        }
    }

    /// What to do at a point, if it is armed and its turn has come.
    pub(super) fn act(point: Point) -> Option<Action> {
        let file = FILE.as_deref()?;
        // One at a time: two that pass at once are the first and the second.
        let mut passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
        let armed = std::fs::read_to_string(file).ok()?;
        if armed != passed.0 {
            *passed = (armed.clone(), 0);
        }
        let mut words = armed.split_whitespace();
        if words.next() != Some(point.word()) {
            return None;
        }
        let let_go: u64 = words.next()?.parse().ok()?;
        passed.1 += 1;
        if passed.1 <= let_go {
            return None;
        }
        let action = match words.next()? {
            "abort" => Action::Abort,
            "error" => Action::Error,
            "delay" => Action::Delay,
            _ => return None,
        };
        // Removed before it acts: an abort cannot do it afterwards.
        std::fs::remove_file(file).ok()?;
        passed.0.clear();
        Some(action)
    }
}
