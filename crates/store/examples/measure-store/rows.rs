//! A row per edge: what the same uploads take in the table that everyone tries first.
//!
//! An upload is one durable transaction: edges that are no longer there go, new ones come, and the matches of both
//! sides follow. Only what changed is written.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use crate::people::People;

/// What an upload changes: who leaves the book and who comes.
fn change(people: People, owner: u64, book: &mut Vec<u64>, chance: u64) -> (Vec<i64>, Vec<i64>) {
    let before = book.clone();
    people.change(owner, book, chance);
    let only = |these: &[u64], those: &[u64]| -> Vec<i64> {
        these.iter().filter(|one| those.binary_search(one).is_err()).map(|one| *one as i64).collect()
    };
    (only(&before, book), only(book, &before))
}
