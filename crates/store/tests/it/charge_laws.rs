//! Laws of charge events and of the periods that cause them.

use std::collections::BTreeSet;

use domain::catalogue::OfferingId;
use domain::charging::ChargeKind;
use domain::ids::ProductId;
use domain::money::{Money, Period, Price};
use domain::order::ProductState;
use domain::world::after_seconds;
use jiff::Timestamp;
use store::StoreError;
use store::platform::*;
use uuid::Uuid;

use crate::backends::{Bench, laws, number};

laws! {
    events_of_one_payer_are_numbered_without_a_gap_however_many_come_at_once
    of_parallel_charges_for_one_period_one_is_written
    of_parallel_charges_none_slips_under_the_cap_beside_another
    a_charge_given_back_once_no_longer_counts_and_is_given_back_no_second_time
    what_is_handed_over_or_refused_is_listed_so
    a_period_comes_back_and_is_looked_at_when_its_time_has_come
}

fn product(bench: &Bench, customer: u64) -> ProductRow {
    ProductRow {
        id: ProductId(bench.world.uuid()),
        customer: bench.store.keys().contact_key(number(customer)),
        offering: OfferingId::parse("crbt").unwrap(),
        state: ProductState::Active,
        price: Price { money: Money::parse("5.00", "CNY").unwrap(), period: Period::Month },
        since: bench.world.now(),
        ended: None,
    }
}

fn charge(product: &ProductRow, kind: ChargeKind, period_no: i64) -> NewCharge<'_> {
    NewCharge { product, money: product.price.money, kind, period_no, reverses: None }
}

/// Runs a write that may not fail.
async fn write<T: Send + 'static>(
    bench: &Bench,
    mut verb: impl FnMut(&mut PlatformTx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    bench.store.write(move |tx| verb(&mut tx.platform())).await.unwrap()
}

async fn customers(bench: &Bench) {
    write(bench, |tx| {
        tx.put_customer(number(1), None)?;
        tx.put_customer(number(2), None)
    })
    .await;
}

async fn events_of_one_payer_are_numbered_without_a_gap_however_many_come_at_once(bench: Bench) {
    customers(&bench).await;
    let begin = |n: u64| {
        let product = product(&bench, 1 + n % 2);
        write(&bench, move |tx| tx.insert_charge(&charge(&product, ChargeKind::Activation, 0)))
    };
    let written = futures::future::join_all((0..16).map(begin)).await;
    assert!(written.into_iter().all(|written| written));
    for customer in [1, 2] {
        let key = bench.store.keys().contact_key(number(customer));
        let open = write(&bench, move |tx| tx.list_open_charges(key, 100)).await;
        let numbers: Vec<_> = open.iter().map(|row| row.event.payer_no).collect();
        assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
        assert!(open.iter().all(|row| row.event.number == number(customer)));
    }
}

async fn of_parallel_charges_for_one_period_one_is_written(bench: Bench) {
    customers(&bench).await;
    let product = product(&bench, 1);
    let renew = |_| {
        let product = product.clone();
        write(&bench, move |tx| tx.insert_charge(&charge(&product, ChargeKind::Renewal, 1)))
    };
    let written = futures::future::join_all((0..12).map(renew)).await;
    assert_eq!(written.into_iter().filter(|written| *written).count(), 1);
}

async fn of_parallel_charges_none_slips_under_the_cap_beside_another(bench: Bench) {
    customers(&bench).await;
    let order = |_| {
        let product = product(&bench, 1);
        write(&bench, move |tx| {
            let spent = tx.load_spend(product.customer, Timestamp::UNIX_EPOCH, None)?;
            // A cap of 12.00 has room for two of 5.00.
            let fits = spent + 500 <= 1_200;
            if fits {
                tx.insert_charge(&charge(&product, ChargeKind::Activation, 0))?;
            }
            Ok(fits)
        })
    };
    let charged = futures::future::join_all((0..12).map(order)).await;
    assert_eq!(charged.into_iter().filter(|charged| *charged).count(), 2);
}

async fn a_charge_given_back_once_no_longer_counts_and_is_given_back_no_second_time(bench: Bench) {
    customers(&bench).await;
    let product = product(&bench, 1);
    let (now, later) = (bench.world.now(), after_seconds(bench.world.now(), 1));
    write(&bench, move |tx| {
        assert!(tx.insert_charge(&charge(&product, ChargeKind::Activation, 0))?);
        assert!(tx.insert_charge(&charge(&product, ChargeKind::Renewal, 1))?);
        assert_eq!(tx.load_spend(product.customer, now, None)?, 1_000);
        assert_eq!(tx.load_spend(product.customer, later, None)?, 0);
        let charges = tx.list_product_charges(product.id)?;
        let back =
            NewCharge { reverses: Some(charges[0].event.id), ..charge(&product, ChargeKind::Reversal, 0) };
        assert!(tx.insert_charge(&back)?);
        assert!(!tx.insert_charge(&back)?);
        assert_eq!(tx.load_spend(product.customer, now, None)?, 500);
        let charges = tx.list_product_charges(product.id)?;
        assert_eq!(charges.len(), 3);
        assert_eq!(charges[2].event.reverses, Some(charges[0].event.id));
        Ok(())
    })
    .await;
}

async fn what_is_handed_over_or_refused_is_listed_so(bench: Bench) {
    customers(&bench).await;
    let products = [product(&bench, 1), product(&bench, 1), product(&bench, 2)];
    write(&bench, move |tx| {
        for product in &products {
            tx.insert_charge(&charge(product, ChargeKind::Activation, 0))?;
        }
        let (first, second) = (products[0].customer, products[2].customer);
        let open = tx.list_open_charges(first, 10)?;
        let payers: BTreeSet<_> = tx.list_open_payers(None, 10)?.into_iter().collect();
        assert_eq!((open.len(), payers), (2, BTreeSet::from([first, second])));
        tx.fail_charge(open[0].event.id, false)?;
        tx.fail_charge(open[0].event.id, true)?;
        let refused = tx.list_refused_charges(Uuid::nil(), 10)?;
        assert_eq!((refused.len(), refused[0].event.id, refused[0].tries), (1, open[0].event.id, 2));
        assert_eq!(tx.count_open_charges()?, (3, 1));
        assert!(tx.retry_charge(open[0].event.id)?);
        assert!(!tx.retry_charge(open[0].event.id)?);
        tx.settle_charge(open[0].event.id)?;
        // What comes late changes nothing that is settled.
        tx.fail_charge(open[0].event.id, true)?;
        let settled = tx.find_charge(open[0].event.id)?.unwrap();
        assert!(settled.delivered && !settled.refused);
        assert_eq!(tx.list_open_charges(first, 10)?.len(), 1);
        assert_eq!(tx.count_open_charges()?, (2, 0));
        let (mut after, mut all) = (Uuid::nil(), 0);
        while let Some(row) = tx.list_all_charges(after, 1)?.pop() {
            (after, all) = (row.event.id, all + 1);
        }
        assert_eq!(all, 3);
        Ok(())
    })
    .await;
}

async fn a_period_comes_back_and_is_looked_at_when_its_time_has_come(bench: Bench) {
    let now = bench.world.now();
    let term = TermRow {
        product: ProductId(bench.world.uuid()),
        renews: true,
        anchor: now,
        anchor_no: 2,
        period_no: 3,
        due: after_seconds(now, 10),
        look_at: after_seconds(now, 10),
        refused: None,
    };
    write(&bench, move |tx| {
        tx.put_term(&term)?;
        assert_eq!(tx.find_term(term.product)?.as_ref(), Some(&term));
        assert_eq!(tx.list_terms_due(after_seconds(now, 9), 10)?, []);
        assert_eq!(tx.list_terms_due(after_seconds(now, 10), 10)?, std::slice::from_ref(&term));
        let later = TermRow { period_no: 4, refused: Some(now), ..term.clone() };
        tx.put_term(&later)?;
        tx.postpone_term(term.product, after_seconds(now, 20))?;
        let found = tx.find_term(term.product)?.unwrap();
        assert_eq!(found, TermRow { look_at: after_seconds(now, 20), ..later });
        assert_eq!(tx.list_terms_due(after_seconds(now, 10), 10)?, []);
        tx.remove_term(term.product)?;
        assert_eq!(tx.find_term(term.product)?, None);
        Ok(())
    })
    .await;
}
