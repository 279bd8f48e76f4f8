//! The servers die, err and dawdle at every place; nothing acknowledged is lost and nothing is doubled.

mod failpoints;
#[allow(dead_code, reason = "half of it is for those who kill")]
mod town;
