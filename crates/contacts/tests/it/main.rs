//! The contacts role through its router, over the embedded store, with a clock that is set.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod account;
mod attacker;
mod bench;
mod enumeration;
mod one_time_passwords;
mod sign_in;
