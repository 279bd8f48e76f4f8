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
    SyncedBook { version, numbers: numbers(tails), complete: true, ..SyncedBook::default() }
}

#[test]
fn the_first_scan_is_a_snapshot_and_an_empty_one_nothing() {
    let fresh = BookStatus { version: 0, size: 0 };
    let snapshot = Plan::Snapshot { numbers: numbers(0..3), confirm_shrink_needed: false, if_match: 0 };
    assert_eq!(plan(fresh, None, &numbers(0..3), Extent::Whole), snapshot);
    assert_eq!(plan(fresh, None, &numbers([]), Extent::Whole), Plan::Nothing);
    assert_eq!(plan(fresh, None, &numbers([]), Extent::Partial), Plan::Nothing);
}

fn amend(
    add: impl IntoIterator<Item = u64>,
    remove: impl IntoIterator<Item = u64>,
    confirm_shrink_needed: bool,
    if_match: i64,
) -> Plan {
    Plan::Amend { add: numbers(add), remove: numbers(remove), confirm_shrink_needed, if_match }
}

#[test]
fn later_scans_deliver_only_what_changed() {
    let server = BookStatus { version: 4, size: 10 };
    let changed = plan(server, Some(&synced(4, 0..10)), &numbers(1..12), Extent::Whole);
    assert_eq!(changed, amend(10..12, 0..1, false, 4));
    assert_eq!(plan(server, Some(&synced(4, 0..10)), &numbers(0..10), Extent::Whole), Plan::Nothing);
}

#[test]
fn a_book_that_another_device_changed_keeps_what_that_device_did() {
    let server = BookStatus { version: 5, size: 11 };
    let book = synced(4, 0..10);
    assert_eq!(plan(server, Some(&book), &numbers(0..10), Extent::Whole), Plan::Nothing);
    let changed = plan(server, Some(&book), &numbers(1..11), Extent::Whole);
    assert_eq!(changed, amend([10], [0], false, 5));
    // A device that is new to the account takes nothing away.
    assert_eq!(plan(server, None, &numbers(0..2), Extent::Whole), amend(0..2, [], false, 5));
}

#[test]
fn a_book_that_was_forgotten_is_delivered_anew() {
    for (version, size) in [(5, 0), (4, 0)] {
        let emptied =
            plan(BookStatus { version, size }, Some(&synced(4, 0..10)), &numbers(0..10), Extent::Whole);
        let whole =
            Plan::Snapshot { numbers: numbers(0..10), confirm_shrink_needed: false, if_match: version };
        assert_eq!(emptied, whole);
    }
    // Another device came first after it was forgotten, or the account is a new one.
    for server in [BookStatus { version: 6, size: 3 }, BookStatus { version: 1, size: 9 }] {
        let again = plan(server, Some(&synced(4, 0..10)), &numbers(0..10), Extent::Whole);
        assert_eq!(again, amend(0..10, [], false, server.version));
    }
}

#[test]
fn the_person_can_settle_what_the_book_is_by_one_snapshot() {
    let server = BookStatus { version: 5, size: 11 };
    let only = |size, scanned| {
        plan(BookStatus { size, ..server }, Some(&synced(4, 0..10)), &numbers(scanned), Extent::Only)
    };
    let whole = Plan::Snapshot { numbers: numbers(0..10), confirm_shrink_needed: false, if_match: 5 };
    assert_eq!(only(11, 0..10), whole);
    assert!(only(30, 0..10).confirm_shrink_needed());
    assert_eq!(
        plan(BookStatus { version: 4, size: 10 }, Some(&synced(4, 0..10)), &numbers(0..10), Extent::Only),
        Plan::Nothing
    );
}

#[test]
fn what_was_sent_without_an_answer_is_taken_back_when_it_goes() {
    let book = SyncedBook { unsure: numbers([7, 8]), ..synced(1, 0..5) };
    let server = BookStatus { version: 2, size: 7 };
    let changed = plan(server, Some(&book), &numbers([0, 1, 2, 3, 4, 8]), Extent::Whole);
    assert_eq!(changed, amend([8], [7], false, 2));
}

#[test]
fn losing_more_than_half_needs_a_confirmation_and_half_does_not() {
    let server = BookStatus { version: 4, size: 10 };
    let book = synced(4, 0..10);
    let four = plan(server, Some(&book), &numbers(0..4), Extent::Whole);
    assert!(matches!(four, Plan::Snapshot { confirm_shrink_needed: true, .. }), "{four:?}");
    let five = plan(server, Some(&book), &numbers(0..5), Extent::Whole);
    assert_eq!(five, amend([], 5..10, false, 4));
    let behind = BookStatus { version: 5, size: 10 };
    assert_eq!(plan(behind, Some(&book), &numbers(0..4), Extent::Whole), amend([], 4..10, true, 5));
}

#[test]
fn a_part_never_removes_and_is_not_taken_for_the_whole() {
    let server = BookStatus { version: 4, size: 10 };
    let part = plan(server, Some(&synced(4, 0..10)), &numbers([1, 99]), Extent::Partial);
    assert_eq!(part, amend([99], [], false, 4));
    assert_eq!(plan(server, None, &numbers([1, 99]), Extent::Partial), amend([1, 99], [], false, 4));
    let known_in_part = SyncedBook { complete: false, ..synced(4, 0..3) };
    let whole = plan(server, Some(&known_in_part), &numbers(0..10), Extent::Whole);
    assert_eq!(whole, amend(3..10, [], false, 4));
}

#[test]
fn a_plan_can_be_printed_without_a_number() {
    let text = format!("{:?}", amend(0..10, [77], true, 4));
    assert_eq!(text, "Amend(+10 -1 onto version 4, confirm true)");
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
        let synced = SyncedBook { version: 7 - behind, numbers: held.clone(), complete: true, ..SyncedBook::default() };
        let after = match plan(server, Some(&synced), &scanned, Extent::Whole) {
            Plan::Nothing => held,
            Plan::Snapshot { numbers, .. } => numbers,
            Plan::Amend { add, remove, .. } => {
                held.union(&add).copied().filter(|n| !remove.contains(n)).collect()
            }
        };
        prop_assert_eq!(after, scanned);
    }
}
