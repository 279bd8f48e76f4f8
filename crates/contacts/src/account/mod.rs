//! The account: what is held, the devices, the way out.

pub mod erase;
pub mod export;
pub mod sessions;
pub mod show;
