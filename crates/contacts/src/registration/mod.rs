//! Registering: a number is proven by a code, and with it a device is signed in.

pub mod begin;
pub mod confirm;
pub(crate) mod former;
pub(crate) mod limits;
