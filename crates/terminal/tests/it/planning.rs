//! What is planned, without any server.

use std::collections::BTreeSet;

use api::book::BookStatus;
use domain::Msisdn;
use proptest::prelude::*;
use terminal::state::SyncedBook;
use terminal::sync::{Extent, Plan, plan};

pub(crate) fn numbers(tails: impl IntoIterator<Item = u64>) -> BTreeSet<Msisdn> {
    tails.into_iter().map(|tail| Msisdn::parse_digits(&format!("86138{tail:08}")).unwrap()).collect()
}

fn synced(version: i64, tails: impl IntoIterator<Item = u64>) -> SyncedBook {
    SyncedBook { version, numbers: numbers(tails), complete: true }
}

#[test]
fn the_first_scan_is_a_snapshot_and_an_empty_one_nothing() {
    let fresh = BookStatus { version: 0, size: 0 };
    let snapshot = Plan::Snapshot { numbers: numbers(0..3), confirm_shrink_needed: false, if_match: 0 };
    assert_eq!(plan(fresh, None, &numbers(0..3), Extent::Whole), snapshot);
    assert_eq!(plan(fresh, None, &numbers([]), Extent::Whole), Plan::Nothing);
    assert_eq!(plan(fresh, None, &numbers([]), Extent::Partial), Plan::Nothing);
}

#[test]
fn later_scans_deliver_only_what_changed() {
    let server = BookStatus { version: 4, size: 10 };
    let changed = plan(server, Some(&synced(4, 0..10)), &numbers(1..12), Extent::Whole);
    assert_eq!(changed, Plan::Amend { add: numbers(10..12), remove: numbers(0..1), if_match: 4 });
    assert_eq!(plan(server, Some(&synced(4, 0..10)), &numbers(0..10), Extent::Whole), Plan::Nothing);
}

#[test]
fn a_book_that_another_device_changed_is_delivered_whole() {
    let server = BookStatus { version: 5, size: 10 };
    let whole = plan(server, Some(&synced(4, 0..10)), &numbers(0..10), Extent::Whole);
    assert!(matches!(whole, Plan::Snapshot { if_match: 5, confirm_shrink_needed: false, .. }), "{whole:?}");
    let grown = BookStatus { version: 4, size: 11 };
    assert!(matches!(
        plan(grown, Some(&synced(4, 0..10)), &numbers(0..10), Extent::Whole),
        Plan::Snapshot { .. }
    ));
    let emptied = BookStatus { version: 4, size: 0 };
    assert!(matches!(
        plan(emptied, Some(&synced(4, 0..10)), &numbers(0..10), Extent::Whole),
        Plan::Snapshot { .. }
    ));
}

#[test]
fn losing_more_than_half_needs_a_confirmation_and_half_does_not() {
    let server = BookStatus { version: 4, size: 10 };
    let book = synced(4, 0..10);
    let four = plan(server, Some(&book), &numbers(0..4), Extent::Whole);
    assert!(matches!(four, Plan::Snapshot { confirm_shrink_needed: true, .. }), "{four:?}");
    let five = plan(server, Some(&book), &numbers(0..5), Extent::Whole);
    assert_eq!(five, Plan::Amend { add: numbers([]), remove: numbers(5..10), if_match: 4 });
}

#[test]
fn a_part_never_removes_and_is_not_taken_for_the_whole() {
    let server = BookStatus { version: 4, size: 10 };
    let part = plan(server, Some(&synced(4, 0..10)), &numbers([1, 99]), Extent::Partial);
    assert_eq!(part, Plan::Amend { add: numbers([99]), remove: numbers([]), if_match: 4 });
    let unknown = plan(server, None, &numbers([1, 99]), Extent::Partial);
    assert_eq!(unknown, Plan::Amend { add: numbers([1, 99]), remove: numbers([]), if_match: 4 });
    let known_in_part = SyncedBook { complete: false, ..synced(4, 0..3) };
    let whole = plan(server, Some(&known_in_part), &numbers(0..10), Extent::Whole);
    assert!(matches!(whole, Plan::Snapshot { .. }), "{whole:?}");
}

proptest! {
    #[test]
    fn a_whole_scan_always_leads_to_what_was_scanned(
        held in proptest::collection::btree_set(0_u64..40, 0..30),
        scanned in proptest::collection::btree_set(0_u64..40, 0..30),
        behind in 0_i64..2,
    ) {
        let (held, scanned) = (numbers(held), numbers(scanned));
        let server = BookStatus { version: 7, size: i64::try_from(held.len()).unwrap() };
        let synced = SyncedBook { version: 7 - behind, numbers: held.clone(), complete: true };
        let after = match plan(server, Some(&synced), &scanned, Extent::Whole) {
            Plan::Nothing => held,
            Plan::Snapshot { numbers, .. } => numbers,
            Plan::Amend { add, remove, .. } => held.union(&add).copied().filter(|n| !remove.contains(n)).collect(),
        };
        prop_assert_eq!(after, scanned);
    }
}
