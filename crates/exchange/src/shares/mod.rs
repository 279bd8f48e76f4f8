//! Sharing a subscription: one step to set, one to take back.

pub mod set;
pub mod take_back;
