//! The built binary from the outside: what it prints, where, and how it ends.

mod binary;
mod configuration;
mod limits;
mod numbers;
mod scan;
mod smsc;
mod usage;
