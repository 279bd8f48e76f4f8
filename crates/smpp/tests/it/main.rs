//! Sessions over real sockets on loopback, against the simulated centre and against scripted ones.

// The exemption for tests covers test functions alone, and the fixtures are for nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod against_simulator;
mod binds;
mod control;
mod fixtures;
mod markings;
mod raw_client;
mod scripted;
