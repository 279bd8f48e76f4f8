//! Laws of the catalogue, claims, orders, confirmations and listeners.

use std::collections::BTreeSet;

use domain::catalogue::{Offering, OfferingId, Provider, ProviderId, ProviderKind};
use domain::confirmation::ConfirmationCode;
use domain::ids::{HubEventId, HubId, ProductId, ProductOrderId, TextId};
use domain::key::ContactKey;
use domain::locale::{Locale, Localised};
use domain::money::{Money, Period, Price};
use domain::order::{OrderAction, OrderState, ProductState, Reason};
use domain::world::after_seconds;
use store::StoreError;
use store::platform::*;

use crate::backends::{Bench, laws, number};

laws! {
    an_offering_comes_back_and_its_version_counts_its_changes
    offerings_are_paged_and_those_that_exclude_one_are_found
    of_parallel_takers_one_gets_the_claim
    a_claim_goes_from_order_to_product_and_only_its_holder_gives_it_back
    of_parallel_orders_with_one_external_id_one_is_written
    orders_are_found_by_what_they_are_and_moved_only_from_where_they_stand
    products_are_found_by_what_they_are_and_charged_once
    a_confirmation_is_accepted_once_and_closed_once
    a_customer_keeps_language_list_and_cap
    a_listener_is_registered_once_and_told_in_order
    a_cancellation_is_found_by_its_order
    evidence_comes_back_as_it_was_in_its_order
}

fn words(english: &str) -> Localised {
    Localised([("en".to_owned(), english.to_owned()), ("zh-CN".to_owned(), "彩铃".to_owned())].into())
}

fn price(amount: &str) -> Price {
    Price { money: Money::parse(amount, "CNY").unwrap(), period: Period::Month }
}

fn offering_id(id: &str) -> OfferingId {
    OfferingId::parse(id).unwrap()
}

fn offering(id: &str) -> Offering {
    Offering {
        id: offering_id(id),
        provider: ProviderId::parse("xx").unwrap(),
        name: words(id),
        price: price("5.00"),
        renews: true,
        sensitive: false,
        active: true,
        terms: words("terms"),
        how_to_cancel: Localised::default(),
        conflicts_with: Vec::new(),
        version: 1,
    }
}

fn provider() -> Provider {
    Provider {
        id: ProviderId::parse("xx").unwrap(),
        name: words("XX"),
        kind: ProviderKind::Designated,
        from: Some(jiff::civil::date(2026, 1, 1)),
        until: None,
    }
}

fn key(bench: &Bench, n: u64) -> ContactKey {
    bench.store.keys().contact_key(number(n))
}

fn order(bench: &Bench, customer: u64, external_id: &str) -> OrderRow {
    OrderRow {
        id: ProductOrderId(bench.world.uuid()),
        external_id: Some(external_id.to_owned()),
        customer: Some(key(bench, customer)),
        action: Some(OrderAction::Add),
        offering: Some(offering_id("crbt")),
        version: Some(1),
        state: OrderState::Acknowledged,
        reason: None,
        open_order: None,
        product: None,
        request: b"{\"as\":\"placed\"}".to_vec(),
        taken: bench.world.now(),
        changed: bench.world.now(),
    }
}

fn product(bench: &Bench, customer: u64, offering: &str) -> ProductRow {
    ProductRow {
        id: ProductId(bench.world.uuid()),
        customer: key(bench, customer),
        offering: offering_id(offering),
        state: ProductState::Created,
        price: price("5.00"),
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

async fn an_offering_comes_back_and_its_version_counts_its_changes(bench: Bench) {
    let put = async |offering: Offering| write(&bench, move |tx| tx.put_offering(&offering)).await;
    let provide = async |provider: Provider| write(&bench, move |tx| tx.put_provider(&provider)).await;
    assert_eq!(provide(provider()).await, CatalogueChange::Added);
    assert_eq!(provide(provider()).await, CatalogueChange::Same);
    assert_eq!(provide(Provider { kind: ProviderKind::Own, ..provider() }).await, CatalogueChange::Changed);
    assert_eq!(put(offering("crbt")).await, CatalogueChange::Added);
    assert_eq!(put(offering("crbt")).await, CatalogueChange::Same);
    let dearer =
        Offering { price: price("6.00"), conflicts_with: vec![offering_id("x")], ..offering("crbt") };
    assert_eq!(put(dearer.clone()).await, CatalogueChange::Changed);
    let (found, by) = write(&bench, |tx| tx.find_offering(&offering_id("crbt"))).await.unwrap();
    assert_eq!(found, Offering { version: 2, ..dearer });
    assert_eq!(by, Provider { kind: ProviderKind::Own, ..provider() });
}

async fn offerings_are_paged_and_those_that_exclude_one_are_found(bench: Bench) {
    write(&bench, |tx| {
        tx.put_provider(&provider())?;
        for id in ["a", "b", "c_d", "cxd"] {
            tx.put_offering(&Offering { active: id != "b", ..offering(id) })?;
        }
        tx.put_offering(&Offering { conflicts_with: vec![offering_id("cxd")], ..offering("e") })?;
        tx.put_offering(&Offering { conflicts_with: vec![offering_id("c_d")], ..offering("f") })
    })
    .await;
    let list = async |active, offset, limit| {
        let (items, total) = write(&bench, move |tx| tx.list_offerings(active, offset, limit)).await;
        (items.iter().map(|(o, _)| o.id.as_str()).collect::<Vec<_>>().join(" "), total)
    };
    assert_eq!(list(None, 1, 2).await, ("b c_d".to_owned(), 6));
    assert_eq!(list(Some(true), 0, 2).await, ("a c_d".to_owned(), 5));
    assert_eq!(list(Some(false), 0, 9).await, ("b".to_owned(), 1));
    let excluding = write(&bench, |tx| tx.list_excluding(&offering_id("c_d"))).await;
    assert_eq!(excluding, [offering_id("f")]);
}

async fn of_parallel_takers_one_gets_the_claim(bench: Bench) {
    let taker = |n: u64| {
        let (id, customer) = (ProductOrderId(bench.world.uuid()), key(&bench, n));
        write(&bench, move |tx| {
            Ok(tx.take_claim(customer, &offering_id("crbt"), id)?.map_or(id, |holder| match holder {
                ClaimHolder::Order(other) => other,
                ClaimHolder::Product(_) => panic!("nobody has a product"),
            }))
        })
    };
    let holders = futures::future::join_all((0..16).map(|_| taker(1))).await;
    assert_eq!(holders.into_iter().collect::<BTreeSet<_>>().len(), 1);
}

async fn a_claim_goes_from_order_to_product_and_only_its_holder_gives_it_back(bench: Bench) {
    let (order, product) = (order(&bench, 1, "e"), product(&bench, 1, "crbt"));
    let (customer, other) = (key(&bench, 1), ProductOrderId(bench.world.uuid()));
    write(&bench, move |tx| {
        let crbt = offering_id("crbt");
        assert_eq!(tx.take_claim(customer, &crbt, order.id)?, None);
        tx.release_claim(customer, &crbt, ClaimHolder::Order(other))?;
        assert_eq!(tx.find_claim(customer, &crbt)?, Some(ClaimHolder::Order(order.id)));
        assert!(!tx.pass_claim(other, &product)?);
        assert!(tx.pass_claim(order.id, &product)?);
        assert_eq!(tx.take_claim(customer, &crbt, other)?, Some(ClaimHolder::Product(product.id)));
        assert!(!tx.take_claim_for_product(&product)?);
        tx.release_claim(customer, &crbt, ClaimHolder::Order(order.id))?;
        tx.release_claim(customer, &crbt, ClaimHolder::Product(product.id))?;
        assert!(tx.take_claim_for_product(&product)?);
        Ok(())
    })
    .await;
}

async fn of_parallel_orders_with_one_external_id_one_is_written(bench: Bench) {
    let place = |_| {
        let order = order(&bench, 1, "same");
        write(&bench, move |tx| tx.insert_order(&order))
    };
    let written = futures::future::join_all((0..16).map(place)).await;
    assert_eq!(written.into_iter().filter(|written| *written).count(), 1);
}

async fn orders_are_found_by_what_they_are_and_moved_only_from_where_they_stand(bench: Bench) {
    let mut orders: Vec<_> = (0..4).map(|n| order(&bench, n % 2, &format!("e{n}"))).collect();
    orders[3].state = OrderState::Rejected;
    orders[3].reason = Some(Reason::OrderOpen);
    orders[3].open_order = Some(orders[0].id);
    let (ids, keys) = (orders.iter().map(|o| o.id).collect::<Vec<_>>(), [key(&bench, 0), key(&bench, 1)]);
    let product = ProductId(bench.world.uuid());
    write(&bench, move |tx| {
        for order in &orders {
            tx.insert_order(order)?;
        }
        tx.put_order_product(ids[0], product)?;
        assert!(tx.move_order(ids[0], OrderState::Acknowledged, OrderState::InProgress, None)?);
        assert!(!tx.move_order(ids[0], OrderState::Acknowledged, OrderState::Pending, None)?);
        let found = tx.find_order(ids[0])?.unwrap();
        assert_eq!((found.state, found.product), (OrderState::InProgress, Some(product)));
        assert_eq!(found.request, b"{\"as\":\"placed\"}");
        let found = tx.find_order_by_external_id("e3")?.unwrap();
        assert_eq!((found.reason, found.open_order), (Some(Reason::OrderOpen), Some(ids[0])));
        let mut count = |filter: &OrderFilter| Ok::<_, StoreError>(tx.list_orders(filter, 0, 10)?.1);
        let customers = |key| OrderFilter { customers: Some(vec![key]), ..OrderFilter::default() };
        let rejected = || Some(vec![OrderState::Rejected]);
        assert_eq!(count(&OrderFilter::default())?, 4);
        assert_eq!(count(&customers(keys[1]))?, 2);
        assert_eq!(count(&OrderFilter { states: rejected(), ..customers(keys[1]) })?, 1);
        assert_eq!(count(&OrderFilter { states: rejected(), ..OrderFilter::default() })?, 1);
        assert_eq!(count(&OrderFilter { states: Some(Vec::new()), ..OrderFilter::default() })?, 0);
        assert_eq!(
            count(&OrderFilter { external_ids: Some(vec!["e1".to_owned()]), ..customers(keys[1]) })?,
            1
        );
        assert_eq!(
            count(&OrderFilter { external_ids: Some(vec!["e1".to_owned()]), ..customers(keys[0]) })?,
            0
        );
        assert!(tx.withdraw(ids[1].0)?);
        let external_ids = Some(vec!["e1".to_owned()]);
        let filters = [
            (OrderFilter::default(), 4),
            (customers(keys[1]), 2),
            (OrderFilter { external_ids, ..OrderFilter::default() }, 1),
        ];
        for (filter, all) in filters {
            assert_eq!(tx.list_orders(&filter, 0, 10)?.1, all);
            let (rows, total) = tx.list_orders(&OrderFilter { shown: true, ..filter }, 0, 10)?;
            assert!(!rows.iter().any(|order| order.id == ids[1]));
            assert_eq!((total, rows.len() as i64), (all - 1, all - 1));
        }
        Ok(())
    })
    .await;
}

async fn products_are_found_by_what_they_are_and_charged_once(bench: Bench) {
    let products = [product(&bench, 1, "crbt"), product(&bench, 1, "crb"), product(&bench, 2, "crbt")];
    let (customer, now) = (key(&bench, 1), bench.world.now());
    write(&bench, move |tx| {
        for product in &products {
            tx.insert_product(product)?;
        }
        let id = products[0].id;
        assert!(tx.move_product(id, ProductState::Created, ProductState::Active, None)?);
        assert!(!tx.move_product(id, ProductState::Created, ProductState::Active, None)?);
        assert_eq!(tx.find_product(id)?.unwrap().state, ProductState::Active);
        assert_eq!(tx.list_live_products(customer)?.len(), 2);
        tx.insert_activation_charge(&products[0])?;
        tx.insert_activation_charge(&products[0])?;
        let charges = tx.list_charges(id)?;
        assert_eq!((charges.len(), charges[0].1.as_str(), charges[0].2), (1, "activation", 500));
        let mut count = |filter: &ProductFilter| Ok::<_, StoreError>(tx.list_products(filter, 0, 10)?.1);
        let of = |customers: Option<ContactKey>, offering: Option<&str>, state: Option<ProductState>| {
            ProductFilter {
                customers: customers.map(|key| vec![key]),
                offerings: offering.map(|id| vec![offering_id(id)]),
                states: state.map(|state| vec![state]),
                shown: false,
            }
        };
        assert_eq!(count(&of(None, None, None))?, 3);
        assert_eq!(count(&of(None, Some("crbt"), None))?, 2);
        assert_eq!(count(&of(Some(customer), Some("crbt"), None))?, 1);
        assert_eq!(count(&of(Some(customer), None, Some(ProductState::Active)))?, 1);
        assert_eq!(count(&of(None, None, Some(ProductState::Created)))?, 2);
        tx.move_product(id, ProductState::Active, ProductState::Terminated, Some(now))?;
        assert_eq!(tx.find_product(id)?.unwrap().ended, Some(now));
        assert_eq!(tx.list_live_products(customer)?.len(), 1);
        assert!(tx.withdraw(id.0)?);
        assert!(!tx.withdraw(id.0)?);
        assert!(tx.is_withdrawn(id.0)? && tx.find_product(id)?.is_some());
        for (customers, all, shown) in [(None, 3, 2), (Some(vec![customer]), 2, 1)] {
            let filter = ProductFilter { customers, ..ProductFilter::default() };
            assert_eq!(tx.list_products(&filter, 0, 10)?.1, all);
            let (rows, total) = tx.list_products(&ProductFilter { shown: true, ..filter }, 0, 10)?;
            assert_eq!((rows.len(), total), (usize::try_from(shown).unwrap(), shown));
        }
        Ok(())
    })
    .await;
}

async fn evidence_comes_back_as_it_was_in_its_order(bench: Bench) {
    let (order, now) = (ProductOrderId(bench.world.uuid()), bench.world.now());
    let another = ProductOrderId(bench.world.uuid());
    write(&bench, move |tx| {
        let piece = |kind, body: &str, at| Evidence { kind, body: body.to_owned(), at };
        // The clock may have been put back between them.
        let all = [
            piece(EvidenceKind::Asked, "回复4827确认", after_seconds(now, 9)),
            piece(EvidenceKind::Accepted, "m1 m2", now),
            piece(EvidenceKind::Replied, "", now),
            piece(EvidenceKind::Replied, "是4827", now),
            piece(EvidenceKind::Undeliverable, "rejected", now),
        ];
        all.iter().try_for_each(|one| tx.put_evidence(order, one))?;
        assert!(tx.list_evidence(order)? == all);
        assert!(tx.list_evidence(another)?.is_empty());
        Ok(())
    })
    .await;
}

async fn a_confirmation_is_accepted_once_and_closed_once(bench: Bench) {
    let now = bench.world.now();
    let row = ConfirmationRow {
        order: ProductOrderId(bench.world.uuid()),
        customer: key(&bench, 1),
        code: ConfirmationCode::parse("4827").unwrap(),
        suffix: "17".to_owned(),
        text: TextId(bench.world.uuid()),
        written: now,
        accept_by: after_seconds(now, 10),
        accepted: None,
        deadline: after_seconds(now, 20),
        attempts: 0,
        asked: false,
        outcome: ConfirmationOutcome::Open,
        closed: None,
    };
    let expected = row.clone();
    write(&bench, move |tx| {
        tx.insert_confirmation(&row)?;
        assert!(tx.accept_confirmation(row.order, now, after_seconds(now, 30))?);
        assert!(!tx.accept_confirmation(row.order, now, after_seconds(now, 40))?);
        tx.count_attempt(row.order)?;
        assert!(tx.mark_asked(row.order)?);
        assert!(!tx.mark_asked(row.order)?);
        assert_eq!(tx.list_confirmations(row.customer, now)?.len(), 1);
        assert!(tx.close_confirmation(row.order, ConfirmationOutcome::Confirmed)?);
        assert!(!tx.close_confirmation(row.order, ConfirmationOutcome::Ended)?);
        assert_eq!(tx.list_confirmations(row.customer, now)?.len(), 0);
        assert_eq!(tx.list_confirmations(row.customer, after_seconds(now, -1))?.len(), 1);
        Ok(())
    })
    .await;
    let found = write(&bench, move |tx| tx.find_confirmation(expected.order)).await.unwrap();
    assert_eq!(
        (found.code.expose(), found.suffix.as_str(), found.attempts, found.asked),
        ("4827", "17", 1, true)
    );
    assert_eq!((found.accepted, found.deadline), (Some(now), after_seconds(now, 30)));
    assert_eq!((found.outcome, found.closed), (ConfirmationOutcome::Confirmed, Some(now)));
}

async fn a_customer_keeps_language_list_and_cap(bench: Bench) {
    let listed = vec![ProductId(bench.world.uuid()), ProductId(bench.world.uuid())];
    write(&bench, move |tx| {
        assert_eq!(tx.put_customer(number(1), None)?.locale, Locale::Chinese);
        assert_eq!(tx.put_customer(number(1), Some(Locale::English))?.locale, Locale::English);
        let customer = tx.put_customer(number(1), None)?;
        assert_eq!((customer.locale, customer.number), (Locale::English, number(1)));
        assert_eq!(tx.load_listed(customer.key)?, []);
        tx.put_listed(customer.key, &listed)?;
        assert_eq!(tx.load_listed(customer.key)?, listed);
        assert_eq!(tx.load_payer(customer.key)?, (false, None));
        tx.put_payer(customer.key, false, Some(500))?;
        tx.put_payer(customer.key, true, Some(700))?;
        assert_eq!(tx.load_payer(customer.key)?, (true, Some(700)));
        Ok(())
    })
    .await;
}

async fn a_listener_is_registered_once_and_told_in_order(bench: Bench) {
    let row = |bench: &Bench| HubListenerRow {
        id: HubId(bench.world.uuid()),
        interface: "/a".to_owned(),
        callback: "http://x/".to_owned(),
        query: String::new(),
    };
    let (one, again) = (row(&bench), row(&bench));
    let events: Vec<_> = (0..5).map(|_| HubEventId(bench.world.uuid())).collect();
    write(&bench, move |tx| {
        assert_eq!(tx.put_listener(&one)?, one);
        assert_eq!(tx.put_listener(&again)?, one);
        for id in &events {
            tx.append_hub_event(one.id, *id, "Kind", id.to_string().as_bytes())?;
        }
        let waiting = tx.list_hub_events(one.id, 3)?;
        assert!(waiting.iter().map(|event| event.id).eq(events.iter().copied().take(3)));
        assert_eq!(waiting[0].body, events[0].to_string().as_bytes());
        tx.remove_hub_events(one.id, &[waiting[0].seq, waiting[1].seq])?;
        assert_eq!(tx.list_hub_events(one.id, 9)?.len(), 3);
        assert_eq!(tx.list_listeners("/a")?.len(), 1);
        assert!(!tx.remove_listener("/b", one.id)?);
        assert!(tx.remove_listener("/a", one.id)?);
        assert_eq!(tx.find_listener(one.id)?, None);
        assert!(tx.list_hub_events(one.id, 9)?.is_empty());
        Ok(())
    })
    .await;
}

async fn a_cancellation_is_found_by_its_order(bench: Bench) {
    let row = CancellationRow {
        id: bench.world.uuid(),
        order: ProductOrderId(bench.world.uuid()),
        why: None,
        state: "done".to_owned(),
        at: bench.world.now(),
    };
    write(&bench, move |tx| {
        tx.insert_cancellation(&row)?;
        assert_eq!(tx.find_cancellation(row.id)?.unwrap().order, row.order);
        assert_eq!(tx.find_cancellation_of(row.order)?.unwrap().id, row.id);
        assert_eq!(tx.list_cancellations(0, 10)?.1, 1);
        Ok(())
    })
    .await;
}
