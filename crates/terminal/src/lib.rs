//! The terminal: a library that reads address books and speaks the subscriber contract.
//!
//! It holds no global state and prints nothing: bytes and data in, data out.

pub mod access;
pub mod backup;
pub mod carddav;
pub mod memory;
pub mod read;
pub mod scan;
pub mod server;
pub mod setting;
pub mod state;
pub mod sync;

pub use api::client::{Client, ClientError};
