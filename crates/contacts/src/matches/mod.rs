//! Matches: who has the caller's number while the caller has theirs.

pub mod list;
