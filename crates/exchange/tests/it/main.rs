//! The exchange as a whole, beside a platform that does wrong whatever a platform can do wrong.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod faulty;
mod house;
mod sync;
mod wrongs;
