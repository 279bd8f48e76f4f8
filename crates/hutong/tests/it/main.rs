//! The built binary from the outside: what it prints, where, and how it ends.

// The exemption for tests covers test functions alone, and the rest here is for nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod audit;
mod binary;
mod canaries;
mod charges;
mod configuration;
#[cfg(feature = "failpoints")]
mod crash;
mod doctor;
mod endings;
mod erasure;
mod events;
mod groups;
mod house;
mod import;
mod inside;
mod keys;
mod limits;
mod matching;
mod matching_disk;
mod matching_parquet;
mod number_checks;
mod numbers;
mod operator;
mod outside;
mod phones;
mod scan;
mod separate;
mod sms;
mod smsc;
mod story;
mod terminal;
mod theft;
mod usage;
