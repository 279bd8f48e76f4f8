//! Keeping the server's book in step with the address book, delivering only what changed.

mod apply;
mod plan;

pub use apply::{Outcome, SyncError, foresee, sync};
pub use plan::{Extent, Plan, plan};
