//! What takes all roles at once, and a clock and dice that obey.

pub(crate) mod house;
mod look;
mod others;
mod owners;
mod same_outside;
mod taps;
