//! What becomes of a text that brought no acceptance: the one place where that is decided.

use domain::limits::TEXT_ATTEMPTS_MAX;
use domain::world::{World, after_seconds};
use jiff::Timestamp;
use smpp::{Refusal, SubmitError};
use store::texts::{OutboundText, TextPurpose, TextState};

/// Waits after a refusal for haste, each equally likely: rule 4 of the design.
const THROTTLED_WAIT_S: std::ops::RangeInclusive<i64> = 1..=30;
/// Waits before what certainly never left is sent again: a connection that drains is gone by then.
const NOT_SENT_WAIT_S: std::ops::RangeInclusive<i64> = 1..=3;
/// Waits before what may have left is sent again: a late answer makes that needless.
const RESEND_WAIT_S: std::ops::RangeInclusive<i64> = 5..=15;
/// The longest wait after a centre's own trouble.
const TRANSIENT_WAIT_S_MAX: i64 = 30;
/// Sendings of one text whose outcome is unknown: the first and one more.
const UNKNOWN_ATTEMPTS_MAX: i64 = 2;

/// What to do with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Send it again then; whether this sending counts as a try.
    Again { at: Timestamp, counted: bool },
    /// It has come to its end.
    Settle(TextState),
}

/// Decides about a text after a submit that brought no message id.
pub(super) fn after_failure(error: SubmitError, text: &OutboundText, world: &World) -> Verdict {
    match error {
        SubmitError::NotSent => Verdict::Again { at: later(world, NOT_SENT_WAIT_S), counted: false },
        SubmitError::Unknown => after_silence(text, world),
        SubmitError::Refused { kind: Refusal::Throttled | Refusal::QueueFull, .. } => {
            Verdict::Again { at: later(world, THROTTLED_WAIT_S), counted: false }
        }
        SubmitError::Refused { kind: Refusal::Transient, .. } if text.attempts < TEXT_ATTEMPTS_MAX => {
            let longest = (2_i64 << text.attempts.clamp(0, 4)).min(TRANSIENT_WAIT_S_MAX);
            Verdict::Again { at: later(world, 1..=longest), counted: true }
        }
        SubmitError::Refused { kind: Refusal::Transient | Refusal::Permanent, .. } => {
            Verdict::Settle(TextState::Rejected)
        }
    }
}

/// Decides about a text that was sent, and nobody knows whether the centre has it.
///
/// Tries that the centre refused count too, so that a text is sent again once at most, whatever came before.
pub(super) fn after_silence(text: &OutboundText, world: &World) -> Verdict {
    let again = match text.purpose {
        TextPurpose::Confirmation | TextPurpose::Receipt => text.attempts < UNKNOWN_ATTEMPTS_MAX,
        TextPurpose::SignIn | TextPurpose::Notice => false,
    };
    let at = later(world, RESEND_WAIT_S);
    // One that would only expire has been sent all the same, and nobody knows with what outcome.
    if again && at < text.not_after {
        Verdict::Again { at, counted: true }
    } else {
        Verdict::Settle(TextState::Unknown)
    }
}

fn later(world: &World, range_s: std::ops::RangeInclusive<i64>) -> Timestamp {
    let span = u32::try_from(range_s.end() - range_s.start() + 1).unwrap_or(1);
    after_seconds(world.now(), range_s.start() + i64::from(world.below(span)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::Msisdn;
    use domain::ids::TextId;
    use domain::world::{SeededDice, SetClock};

    use super::*;

    fn world() -> World {
        World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(1)))
    }

    fn text(purpose: TextPurpose, attempts: i64) -> OutboundText {
        OutboundText {
            id: TextId(world().uuid()),
            purpose,
            to: Msisdn::parse_e164("+8613800138000").unwrap(),
            suffix: String::new(),
            body: "hi".to_owned(),
            not_after: after_seconds(world().now(), 300),
            reference: None,
            attempts,
            sending: 1,
        }
    }

    fn refused(kind: Refusal) -> SubmitError {
        SubmitError::Refused { status: 0, kind }
    }

    /// Whether the text is sent again, and whether the sending counted.
    fn again(verdict: Verdict) -> Option<bool> {
        match verdict {
            Verdict::Again { counted, .. } => Some(counted),
            Verdict::Settle(_) => None,
        }
    }

    #[test]
    fn after_silence_only_a_confirmation_and_a_receipt_go_again_and_once() {
        for (purpose, attempts, expected) in [
            (TextPurpose::Confirmation, 1, Some(true)),
            (TextPurpose::Confirmation, 2, None),
            (TextPurpose::Receipt, 1, Some(true)),
            (TextPurpose::Receipt, 2, None),
            (TextPurpose::SignIn, 1, None),
            (TextPurpose::Notice, 1, None),
        ] {
            let verdict = after_failure(SubmitError::Unknown, &text(purpose, attempts), &world());
            assert_eq!(again(verdict), expected, "{purpose:?} {attempts}");
        }
    }

    #[test]
    fn after_silence_nothing_goes_again_that_would_only_expire() {
        let short =
            OutboundText { not_after: after_seconds(world().now(), 4), ..text(TextPurpose::Confirmation, 1) };
        assert_eq!(after_silence(&short, &world()), Verdict::Settle(TextState::Unknown));
    }

    #[test]
    fn what_never_left_or_came_too_fast_goes_again_uncounted() {
        for error in [SubmitError::NotSent, refused(Refusal::Throttled), refused(Refusal::QueueFull)] {
            assert_eq!(again(after_failure(error, &text(TextPurpose::SignIn, 9), &world())), Some(false));
        }
    }

    #[test]
    fn a_centre_in_trouble_is_tried_five_times_and_a_refusal_is_final() {
        let verdict =
            |kind, attempts| after_failure(refused(kind), &text(TextPurpose::SignIn, attempts), &world());
        assert_eq!(again(verdict(Refusal::Transient, 4)), Some(true));
        assert_eq!(verdict(Refusal::Transient, 5), Verdict::Settle(TextState::Rejected));
        assert_eq!(verdict(Refusal::Permanent, 1), Verdict::Settle(TextState::Rejected));
    }

    #[test]
    fn waits_stay_in_their_range() {
        let world = world();
        for _ in 0..200 {
            let at = later(&world, THROTTLED_WAIT_S).as_second();
            assert!(THROTTLED_WAIT_S.contains(&at), "{at}");
        }
    }
}
