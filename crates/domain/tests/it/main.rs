//! What holds of the rules as a whole.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod saga;
