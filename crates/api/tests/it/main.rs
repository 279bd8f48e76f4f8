//! The contract from outside: shapes as the wire carries them, and the client against scripted servers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#[cfg(feature = "client")]
mod client;
mod shapes;
