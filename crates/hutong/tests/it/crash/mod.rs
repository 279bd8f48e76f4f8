//! The servers die, err and dawdle at every place; nothing acknowledged is lost and nothing is doubled.

mod erasure;
mod failpoints;
mod journal;
mod kill;
mod people;
mod rotation;
mod town;
