//! The built binary from the outside: what it prints, where, and how it ends.

mod binary;
mod configuration;
mod house;
mod limits;
mod numbers;
mod outside;
mod scan;
mod smsc;
mod story;
mod usage;
