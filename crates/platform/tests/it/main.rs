//! The platform through its router and its jobs, on the embedded store, with a set clock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on says so by stopping"
)]

mod charges;
mod client;
mod communications;
mod confirmations;
mod documents;
mod erasures;
mod events;
mod faces;
mod groups;
mod house;
mod limits;
mod many_charges;
mod orders;
mod parties;
mod products;
mod provisioning;
mod queries;
mod renewals;
mod replies;
mod seeds;
