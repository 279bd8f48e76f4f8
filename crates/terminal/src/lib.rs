//! The terminal: a library that reads address books and speaks the subscriber contract.
//!
//! It holds no global state and prints nothing: bytes and data in, data out.

pub mod read;
pub mod scan;
