//! The SMS role against the simulated centre over real sockets, on the embedded store; several copies of it on
//! PostgreSQL.

// The exemption for tests covers test functions alone, and the fixtures are for nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod centres;
mod copies;
mod faults;
mod inbound;
mod link;
mod metrics;
mod outbound;
mod parts;
mod restart;
