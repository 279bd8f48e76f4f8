//! Laws of calls to providers.

use domain::catalogue::{OfferingId, ProviderId};
use domain::ids::{ProductId, ProductOrderId};
use domain::money::{Money, Period, Price};
use domain::order::ProductState;
use domain::provisioning::ProvisioningAction::{self, Activate, Stop};
use domain::world::after_seconds;
use jiff::Timestamp;
use store::StoreError;
use store::platform::*;

use crate::backends::{Bench, laws, number};

laws! {
    a_call_comes_back_as_it_was_written_and_once_for_each_product_and_action
    of_parallel_ends_of_a_call_one_counts
    a_call_waits_for_its_time_and_for_earlier_ones_about_the_same_person_and_service
    a_call_about_somebody_who_has_left_keeps_their_number_until_it_is_made
    a_subscription_that_waits_for_its_provider_counts_as_spent
}

fn xx() -> ProviderId {
    ProviderId::parse("xx").unwrap()
}

fn product(bench: &Bench, customer: u64, offering: &str) -> ProductRow {
    ProductRow {
        id: ProductId(bench.world.uuid()),
        customer: bench.store.keys().contact_key(number(customer)),
        offering: OfferingId::parse(offering).unwrap(),
        state: ProductState::PendingActive,
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

/// Writes a call under a key; whether it is a new one.
async fn calls(
    bench: &Bench,
    key: &'static str,
    product: &ProductRow,
    action: ProvisioningAction,
    due: Timestamp,
) -> bool {
    let (product, customer) = (product.clone(), number(1));
    write(bench, move |tx| {
        tx.put_customer(customer, None)?;
        let (key, provider, order, reverses) = (key.to_owned(), &xx(), None, None);
        let call = NewProvisioning { key, provider, action, product: &product, order, reverses, due };
        tx.insert_provisioning(&call)
    })
    .await
}

/// The keys of what is to be told at a moment.
async fn due(bench: &Bench, now: Timestamp) -> Vec<String> {
    let rows = write(bench, move |tx| tx.list_provisioning_due(&xx(), now, 10)).await;
    rows.into_iter().map(|row| row.call.key).collect()
}

async fn a_call_comes_back_as_it_was_written_and_once_for_each_product_and_action(bench: Bench) {
    let (product, now) = (product(&bench, 1, "crbt"), bench.world.now());
    assert!(calls(&bench, "a", &product, Activate, now).await);
    assert!(!calls(&bench, "b", &product, Activate, now).await);
    let (order, other) = (ProductOrderId(bench.world.uuid()), product.clone());
    write(&bench, move |tx| {
        let call = NewProvisioning {
            key: "c".to_owned(),
            provider: &xx(),
            action: Stop,
            product: &other,
            order: Some(order),
            reverses: Some("a".to_owned()),
            due: now,
        };
        assert!(tx.insert_provisioning(&call)?);
        let found = tx.find_provisioning(other.id, Stop)?.unwrap();
        assert_eq!((found.call.order, found.call.reverses.as_deref()), (Some(order), Some("a")));
        assert_eq!((found.call.number, found.call.product, found.provider), (number(1), other.id, xx()));
        assert_eq!((found.tries, found.outcome), (0, ProvisioningOutcome::Open));
        assert_eq!(tx.list_waiting_providers()?, [xx()]);
        assert!(tx.find_provisioning(ProductId(order.0), Stop)?.is_none());
        Ok(())
    })
    .await;
}

async fn of_parallel_ends_of_a_call_one_counts(bench: Bench) {
    let (product, now) = (product(&bench, 1, "crbt"), bench.world.now());
    calls(&bench, "a", &product, Activate, now).await;
    let end = |n: usize| {
        let outcome = [ProvisioningOutcome::Done, ProvisioningOutcome::Dropped][n % 2];
        write(&bench, move |tx| tx.settle_provisioning("a", outcome))
    };
    let ended = futures::future::join_all((0..12).map(end)).await;
    assert_eq!(ended.into_iter().filter(|ended| *ended).count(), 1);
    write(&bench, move |tx| {
        assert!(!tx.postpone_provisioning("a", now)?, "what has ended is not made again");
        assert_eq!(tx.list_waiting_providers()?, []);
        assert_eq!(tx.next_provisioning(&xx())?, None);
        Ok(())
    })
    .await;
}

async fn a_call_waits_for_its_time_and_for_earlier_ones_about_the_same_person_and_service(bench: Bench) {
    let now = bench.world.now();
    let (first, second, other) =
        (product(&bench, 1, "crbt"), product(&bench, 1, "crbt"), product(&bench, 1, "game"));
    let later = after_seconds(now, 60);
    calls(&bench, "a", &first, Stop, now).await;
    calls(&bench, "b", &second, Activate, now).await;
    calls(&bench, "c", &other, Activate, later).await;
    assert_eq!(due(&bench, now).await, ["a"]);
    assert_eq!(due(&bench, later).await, ["a", "c"]);
    write(&bench, move |tx| {
        assert!(tx.postpone_provisioning("a", after_seconds(now, 90))?);
        assert_eq!(tx.next_provisioning(&xx())?, Some(later));
        assert_eq!(tx.find_provisioning(first.id, Stop)?.unwrap().tries, 1);
        assert_eq!(tx.list_provisioning_due(&ProviderId::parse("yy").unwrap(), later, 10)?.len(), 0);
        Ok(())
    })
    .await;
    assert_eq!(due(&bench, later).await, ["c"]);
    write(&bench, move |tx| tx.settle_provisioning("a", ProvisioningOutcome::Refused)).await;
    assert_eq!(due(&bench, later).await, ["b", "c"]);
}

async fn a_call_about_somebody_who_has_left_keeps_their_number_until_it_is_made(bench: Bench) {
    let (row, now) = (product(&bench, 1, "crbt"), bench.world.now());
    calls(&bench, "a", &row, Stop, now).await;
    let (id, key) = (row.id, row.customer);
    write(&bench, move |tx| {
        tx.insert_product(&row)?;
        tx.move_product(id, ProductState::PendingActive, ProductState::Cancelled, Some(now))?;
        let nobody = tx.forget_customer(key, after_seconds(now, 1))?;
        assert!(tx.find_customer(key)?.is_none());
        let found = tx.find_provisioning(id, Stop)?.unwrap();
        assert_eq!((found.customer, found.call.number), (nobody, number(1)));
        Ok(())
    })
    .await;
    assert_eq!(due(&bench, now).await, ["a"]);
}

async fn a_subscription_that_waits_for_its_provider_counts_as_spent(bench: Bench) {
    let (row, now) = (product(&bench, 1, "crbt"), bench.world.now());
    write(&bench, move |tx| {
        tx.insert_product(&row)?;
        assert_eq!(tx.load_spend(row.customer, now, None)?, 500);
        tx.move_product(row.id, ProductState::PendingActive, ProductState::Active, None)?;
        assert_eq!(tx.load_spend(row.customer, now, None)?, 0);
        let since = after_seconds(now, 7);
        tx.put_product_since(row.id, since)?;
        assert_eq!(tx.find_product(row.id)?.unwrap().since, since);
        Ok(())
    })
    .await;
}
