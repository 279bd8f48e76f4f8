//! The terminal library against address books as phones export them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod books;
mod carddav;
mod devices;
mod examples;
mod planning;
mod syncing;
mod taps;
mod unfit;
