//! What the caller has subscribed to.

pub mod end;
pub mod list;
