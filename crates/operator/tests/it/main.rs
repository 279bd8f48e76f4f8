//! The operator's interface over a store, with the platform beside it played.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may end so")]

mod walk;
