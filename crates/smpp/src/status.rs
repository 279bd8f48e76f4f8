//! What a command_status means for the text that was refused.

/// Status values of SMPP 3.4 section 5.1.3 that this crate sends or acts upon.
pub(crate) mod code {
    pub(crate) const OK: u32 = 0x00;
    pub(crate) const INVALID_MESSAGE_LENGTH: u32 = 0x01;
    pub(crate) const INVALID_COMMAND_ID: u32 = 0x03;
    pub(crate) const INVALID_BIND_STATUS: u32 = 0x04;
    #[cfg(feature = "simulator")]
    pub(crate) const ALREADY_BOUND: u32 = 0x05;
    pub(crate) const SYSTEM_ERROR: u32 = 0x08;
    pub(crate) const INVALID_SOURCE: u32 = 0x0A;
    pub(crate) const INVALID_DESTINATION: u32 = 0x0B;
    #[cfg(feature = "simulator")]
    pub(crate) const INVALID_PASSWORD: u32 = 0x0E;
    #[cfg(feature = "simulator")]
    pub(crate) const INVALID_SYSTEM_ID: u32 = 0x0F;
    pub(crate) const QUEUE_FULL: u32 = 0x14;
    #[cfg(feature = "simulator")]
    pub(crate) const INVALID_ESM_CLASS: u32 = 0x43;
    pub(crate) const SUBMIT_FAILED: u32 = 0x45;
    pub(crate) const THROTTLED: u32 = 0x58;
    pub(crate) const TRY_LATER: u32 = 0x64;
    pub(crate) const REFUSED: u32 = 0x65;
    pub(crate) const REJECTED_BY_APPLICATION: u32 = 0x66;
    pub(crate) const UNKNOWN_ERROR: u32 = 0xFF;
}

/// What to do about a refused text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Too fast: halve the rate, wait, send the same text again.
    Throttled,
    /// The centre's queue is full: as [`Refusal::Throttled`].
    QueueFull,
    /// The centre is in trouble; a few more tries are worth while.
    Transient,
    /// The text itself is refused; sending it again changes nothing.
    Permanent,
}

/// Sorts a command_status other than 0 (SMPP 3.4 section 5.1.3) by what to do about it.
#[must_use]
pub fn refusal(status: u32) -> Refusal {
    match status {
        code::THROTTLED => Refusal::Throttled,
        code::QUEUE_FULL => Refusal::QueueFull,
        // A wrong bind state is the session's fault and not the text's.
        code::INVALID_BIND_STATUS
        | code::SYSTEM_ERROR
        | code::SUBMIT_FAILED
        | code::TRY_LATER
        | code::REJECTED_BY_APPLICATION
        | code::UNKNOWN_ERROR => Refusal::Transient,
        _ => Refusal::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_sort_by_what_to_do() {
        for (status, kind) in [
            (0x58, Refusal::Throttled),
            (0x14, Refusal::QueueFull),
            (0x08, Refusal::Transient),
            (0x64, Refusal::Transient),
            (0x0B, Refusal::Permanent),
            (0x65, Refusal::Permanent),
            (0x0400, Refusal::Permanent),
        ] {
            assert_eq!(refusal(status), kind, "{status:#x}");
        }
    }
}
