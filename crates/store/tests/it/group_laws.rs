//! Laws of short-number groups.

use std::collections::BTreeSet;

use domain::catalogue::{GroupId, OfferingId};
use domain::group::{GroupRules, ShortNumber};
use domain::ids::ProductId;
use domain::money::{Money, Period, Price};
use domain::order::ProductState;
use store::StoreError;
use store::platform::*;

use crate::backends::{Bench, laws, number};

laws! {
    a_person_who_joins_two_groups_at_once_is_in_one
    members_who_join_at_once_have_numbers_of_their_own
    a_group_takes_no_more_than_its_rules_say_however_many_come_at_once
    who_leaves_frees_number_and_reference_and_may_join_another
    rules_come_back_and_change_only_when_they_differ
}

fn group(name: &str) -> GroupId {
    GroupId::parse(name).unwrap()
}

fn rules(members: i64) -> GroupRules {
    GroupRules::new(4, members).unwrap()
}

fn product(bench: &Bench, customer: u64) -> ProductRow {
    ProductRow {
        id: ProductId(bench.world.uuid()),
        customer: bench.store.keys().contact_key(number(customer)),
        offering: OfferingId::parse("family").unwrap(),
        state: ProductState::Active,
        price: Price { money: Money::parse("5.00", "CNY").unwrap(), period: Period::Month },
        since: bench.world.now(),
        ended: None,
    }
}

/// Runs a write that may not fail.
async fn write<T: Send + 'static>(
    bench: &Bench,
    mut verb: impl FnMut(&mut PlatformTx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    bench.store.write(move |tx| verb(&mut tx.platform())).await.unwrap()
}

async fn join(bench: &Bench, customer: u64, name: &str, members: i64) -> Joined {
    let (product, group) = (product(bench, customer), group(name));
    write(bench, move |tx| tx.join_group(&product, &group, rules(members), None)).await
}

async fn a_person_who_joins_two_groups_at_once_is_in_one(bench: Bench) {
    let names = ["a", "b", "c", "d", "e", "f"];
    let joined = futures::future::join_all(names.map(|name| join(&bench, 1, name, 10))).await;
    let within: Vec<_> = joined.iter().filter(|joined| matches!(joined, Joined::In(_))).collect();
    assert_eq!(within.len(), 1);
    assert_eq!(joined.iter().filter(|joined| **joined == Joined::InAnother).count(), 5);
    let key = bench.store.keys().contact_key(number(1));
    let found = write(&bench, move |tx| tx.find_membership_of(key)).await.unwrap();
    assert_eq!(within, [&Joined::In(found)]);
}

async fn members_who_join_at_once_have_numbers_of_their_own(bench: Bench) {
    let joined = futures::future::join_all((0..16).map(|customer| join(&bench, customer, "a", 50))).await;
    let membership = |joined| match joined {
        Joined::In(membership) => membership,
        other => panic!("{other:?}"),
    };
    let members: Vec<Membership> = joined.into_iter().map(membership).collect();
    let numbers: BTreeSet<_> = members.iter().map(|one| one.short_number.clone()).collect();
    let references: BTreeSet<_> = members.iter().map(|one| one.reference.clone()).collect();
    assert_eq!((numbers.len(), references.len()), (16, 16));
    assert_eq!(write(&bench, |tx| tx.list_short_numbers(&group("a"))).await, numbers);
}

async fn a_group_takes_no_more_than_its_rules_say_however_many_come_at_once(bench: Bench) {
    let joined = futures::future::join_all((0..12).map(|customer| join(&bench, customer, "a", 5))).await;
    assert_eq!(joined.iter().filter(|joined| matches!(joined, Joined::In(_))).count(), 5);
    assert_eq!(joined.iter().filter(|joined| **joined == Joined::Full).count(), 7);
    assert!(matches!(join(&bench, 20, "b", 5).await, Joined::In(_)), "another group has its own room");
}

async fn who_leaves_frees_number_and_reference_and_may_join_another(bench: Bench) {
    let (first, second) = (product(&bench, 1), product(&bench, 2));
    write(&bench, move |tx| {
        let wanted = ShortNumber::parse("6001").unwrap();
        let Joined::In(member) = tx.join_group(&first, &group("a"), rules(10), Some(&wanted))? else {
            panic!("not in")
        };
        assert_eq!(member.short_number, wanted);
        assert_eq!(tx.find_membership(first.id)?.as_ref(), Some(&member));
        assert_eq!(tx.find_membership_by_reference(&member.reference)?.as_ref(), Some(&member));
        let taken = tx.join_group(&second, &group("a"), rules(10), Some(&wanted))?;
        assert_eq!(taken, Joined::NumberTaken);
        assert_eq!(tx.join_group(&first, &group("b"), rules(10), None)?, Joined::InAnother);
        tx.leave_group(first.id)?;
        tx.leave_group(first.id)?;
        assert_eq!(tx.find_membership(first.id)?, None);
        assert_eq!(tx.find_membership_by_reference(&member.reference)?, None);
        assert!(matches!(tx.join_group(&second, &group("a"), rules(10), Some(&wanted))?, Joined::In(_)));
        assert!(matches!(tx.join_group(&first, &group("b"), rules(10), Some(&wanted))?, Joined::In(_)));
        Ok(())
    })
    .await;
}

async fn rules_come_back_and_change_only_when_they_differ(bench: Bench) {
    write(&bench, |tx| {
        let family = OfferingId::parse("family").unwrap();
        assert_eq!(tx.find_group_rules(&family)?, None);
        assert!(!tx.put_group_rules(&family, None)?);
        assert!(tx.put_group_rules(&family, Some(rules(10)))?);
        assert!(!tx.put_group_rules(&family, Some(rules(10)))?);
        assert!(tx.put_group_rules(&family, Some(rules(11)))?);
        assert_eq!(tx.find_group_rules(&family)?, Some(rules(11)));
        assert!(tx.put_group_rules(&family, None)?);
        assert_eq!(tx.find_group_rules(&family)?, None);
        Ok(())
    })
    .await;
}
