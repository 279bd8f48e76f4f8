//! Verbs of the platform: catalogue, customers, orders, claims, products, confirmations, charges, providers, groups, hub.

use domain::catalogue::{GroupId, Offering, Provider, ProviderId, ProviderKind};
use domain::charging::ChargeKind;
use domain::confirmation::ConfirmationCode;
use domain::group::{GroupRules, ShortNumber};
use domain::ids::{HubEventId, HubId, ProductId, ProductOrderId, TextId};
use domain::locale::{Locale, Localised};
use domain::money::{Money, Period, Price};
use domain::order::{OrderAction, OrderState, ProductState, Reason};
use domain::provisioning::ProvisioningAction;
use domain::world::after_seconds;
use store::StoreError;
use store::platform::*;

use super::people::WORDS;
use super::{Play, Verb};
use crate::backends::number;

const PROVIDERS: [&str; 3] = ["xx", "Yy", "y-1"];

pub(super) const VERBS: &[(&str, Verb)] = &[
    ("provider", provider),
    ("offering", offering),
    ("offering", offering),
    ("customer", customer),
    ("forget a customer", forget_customer),
    ("platform order", insert_order),
    ("platform order", insert_order),
    ("move an order", move_order),
    ("list platform orders", list_orders),
    ("cancellation", cancellation),
    ("product", insert_product),
    ("product", insert_product),
    ("move a product", move_product),
    ("claim", claim),
    ("claim", claim),
    ("confirmation", confirmation),
    ("close a confirmation", close_confirmation),
    ("charge", charge),
    ("charge", charge),
    ("settle a charge", settle_charge),
    ("term", term),
    ("call a provider", provision),
    ("join a group", join),
    ("join a group", join),
    ("leave a group", leave_group),
    ("listener", listener),
    ("hub event", hub_event),
    ("withdraw", withdraw),
];

fn words(text: &str) -> Localised {
    Localised([("en".to_owned(), text.to_owned())].into())
}

fn provider_id(play: &Play<'_, '_>, which: usize) -> ProviderId {
    ProviderId::parse(play.one_of(which, &PROVIDERS)).unwrap()
}

fn price(play: &Play<'_, '_>, which: usize) -> Price {
    let amount = play.one_of(which, &["5.00", "0.00", "12.34"]);
    Price { money: Money::parse(amount, "CNY").unwrap(), period: Period::Month }
}

fn provider(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let provider = Provider {
        id: provider_id(play, 0),
        name: words(play.one_of(1, &WORDS)),
        kind: play.one_of(2, &[ProviderKind::Own, ProviderKind::Designated]),
        from: (play.chances[3].is_multiple_of(2)).then(|| jiff::civil::date(2026, 1, 1)),
        until: None,
    };
    let changed = play.tx.platform().put_provider(&provider)?;
    let mut platform = play.tx.platform();
    Ok(format!("{changed:?} {:?} {:?}", platform.find_provider(&provider.id)?, platform.list_providers()?))
}

fn offering(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let offering = Offering {
        id: play.offering(0),
        provider: provider_id(play, 1),
        name: words(play.one_of(1, &WORDS)),
        price: price(play, 2),
        renews: play.chances[2].is_multiple_of(2),
        sensitive: false,
        active: !play.chances[3].is_multiple_of(3),
        terms: Localised::default(),
        how_to_cancel: words("text 0000"),
        conflicts_with: if play.chances[3].is_multiple_of(2) { vec![play.offering(3)] } else { Vec::new() },
        version: 1,
    };
    let (by, excluded) = (offering.provider.clone(), play.offering(3));
    let rules = (play.chances[1].is_multiple_of(2)).then(|| GroupRules::new(4, 3).unwrap());
    let active = play.one_of(2, &[None, Some(true), Some(false)]);
    let mut platform = play.tx.platform();
    let changed = platform.put_offering(&offering)?;
    let ruled = platform.put_group_rules(&offering.id, rules)?;
    let found = platform.find_offering(&offering.id)?;
    let (of, excluding) = (platform.list_offerings_of(&by)?, platform.list_excluding(&excluded)?);
    let rules = platform.find_group_rules(&offering.id)?;
    let listed = platform.list_offerings(active, play.chances[0] % 3, 3)?;
    Ok(format!("{changed:?} {ruled} {rules:?} {found:?} {of:?} {excluding:?} {listed:?}"))
}

fn customer(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let locale = play.one_of(1, &[None, Some(Locale::English), Some(Locale::Chinese)]);
    let (who, id) = (play.person(0), ProductId(play.id(2)));
    let cap = (play.chances[3].is_multiple_of(2)).then_some(700);
    let mut platform = play.tx.platform();
    let customer = platform.put_customer(number(play.chances[0] as u64 % 6), locale)?;
    platform.put_listed(who, &[id])?;
    platform.put_payer(who, play.chances[3].is_multiple_of(5), cap)?;
    let (listed, payer) = (platform.load_listed(who)?, platform.load_payer(who)?);
    Ok(format!("{customer:?} {listed:?} {payer:?} {:?}", platform.list_customers(play.chances[2] % 2, 3)?))
}

fn forget_customer(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, before) = (play.person(0), after_seconds(play.world.now(), 1));
    if !play.chances[1].is_multiple_of(3) {
        return Ok(format!("{:?}", play.tx.platform().find_customer(who)?));
    }
    Ok(format!("{:?}", play.tx.platform().forget_customer(who, before)?))
}

fn told(order: &OrderRow) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {} {}",
        order.id,
        order.external_id,
        order.customer,
        order.action,
        order.offering,
        order.version,
        order.state,
        order.reason,
        order.open_order,
        order.product,
        order.request,
        order.taken,
        order.changed
    )
}

fn insert_order(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let used = play.chances[3].is_multiple_of(10);
    let id = ProductOrderId(if used { play.id(3) } else { play.fresh() });
    let external = play.one_of(1, &WORDS).to_owned() + &(play.chances[2] % 40).to_string();
    let order = OrderRow {
        id,
        external_id: (!play.chances[2].is_multiple_of(5)).then_some(external),
        customer: (!play.chances[2].is_multiple_of(7)).then(|| play.person(0)),
        action: Some(OrderAction::Add),
        offering: Some(play.offering(1)),
        version: Some(1),
        state: OrderState::Acknowledged,
        reason: None,
        open_order: (play.chances[3].is_multiple_of(4)).then(|| ProductOrderId(play.id(2))),
        product: None,
        request: play.one_of(3, &WORDS).as_bytes().to_vec(),
        taken: play.world.now(),
        changed: play.world.now(),
    };
    let written = play.tx.platform().insert_order(&order)?;
    let found = play.tx.platform().find_order(id)?.as_ref().map(told);
    let external = order.external_id.as_deref().unwrap_or_default();
    let same = play.tx.platform().find_order_by_external_id(external)?.as_ref().map(told);
    Ok(format!("{written} {found:?} {same:?}"))
}

fn move_order(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (id, product) = (ProductOrderId(play.id(0)), ProductId(play.id(3)));
    let (from, to) = (play.one_of(1, &OrderState::ALL[..3]), play.one_of(2, OrderState::ALL));
    let reason = (play.chances[3].is_multiple_of(2)).then(|| play.one_of(3, Reason::ALL));
    let mut platform = play.tx.platform();
    let moved = platform.move_order(id, from, to, reason)?;
    platform.put_order_product(id, product)?;
    if play.chances[1].is_multiple_of(4) {
        platform.replace_request(id, b"{}")?;
    }
    let piece = Evidence { kind: EvidenceKind::Replied, body: to.word().to_owned(), at: play.world.now() };
    platform.put_evidence(id, &piece)?;
    let evidence = platform.list_evidence(id)?.len();
    Ok(format!("{moved} {evidence} {:?}", platform.find_order(id)?.as_ref().map(told)))
}

fn list_orders(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let some = |which: usize| play.chances[which].is_multiple_of(2);
    let filter = OrderFilter {
        external_ids: some(0).then(|| vec![play.one_of(1, &WORDS).to_owned(), "彩铃1".to_owned()]),
        customers: some(1).then(|| vec![play.person(0), play.person(1)]),
        states: some(2).then(|| vec![play.one_of(2, OrderState::ALL), OrderState::Acknowledged]),
        shown: some(3),
    };
    let products = ProductFilter {
        customers: some(1).then(|| vec![play.person(0), play.person(1)]),
        states: some(2).then(|| vec![play.one_of(2, ProductState::ALL), ProductState::Active]),
        offerings: some(0).then(|| vec![play.offering(0), play.offering(3)]),
        shown: some(3),
    };
    let (who, since) = (some(3).then(|| play.person(2)), after_seconds(play.world.now(), -3_600));
    let (after, offset) = (some(2).then(|| ProductOrderId(play.id(2))), play.chances[3] % 3);
    let mut platform = play.tx.platform();
    let (orders, count) = platform.list_orders(&filter, offset, 4)?;
    let orders: Vec<_> = orders.iter().map(told).collect();
    let newer = platform.list_orders_since(who, None, since, after, 4)?;
    let newer: Vec<_> = newer.iter().map(told).collect();
    Ok(format!("{orders:?} {count} {newer:?} {:?}", platform.list_products(&products, offset, 4)?))
}

fn cancellation(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let row = CancellationRow {
        id: play.fresh(),
        order: ProductOrderId(play.id(0)),
        why: (play.chances[1].is_multiple_of(2)).then(|| play.one_of(1, &WORDS).to_owned()),
        state: "done".to_owned(),
        at: play.world.now(),
    };
    let mut platform = play.tx.platform();
    platform.insert_cancellation(&row)?;
    let (found, of) = (platform.find_cancellation(row.id)?, platform.find_cancellation_of(row.order)?);
    Ok(format!("{found:?} {of:?} {:?}", platform.list_cancellations(play.chances[2] % 2, 3)?))
}

/// A product of an earlier step; a new one where there is none.
fn product(play: &mut Play<'_, '_>, which: usize) -> ProductRow {
    let known = play.known.products.len();
    let newest = play.known.products.get(known.saturating_sub(1 + play.chances[which] % 6)).cloned();
    newest.unwrap_or_else(|| new_product(play))
}

fn new_product(play: &mut Play<'_, '_>) -> ProductRow {
    let product = ProductRow {
        id: ProductId(play.fresh()),
        customer: play.person(0),
        offering: play.offering(1),
        state: play.one_of(2, &[ProductState::Created, ProductState::Active]),
        price: price(play, 3),
        since: play.world.now(),
        ended: None,
    };
    play.known.products.push(product.clone());
    product
}

fn insert_product(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let product = new_product(play);
    let mut platform = play.tx.platform();
    platform.insert_product(&product)?;
    Ok(format!(
        "{:?} {:?}",
        platform.find_product(product.id)?,
        platform.list_live_products(product.customer)?
    ))
}

fn move_product(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (id, now) = (product(play, 0).id, play.world.now());
    let from = play.one_of(1, &[ProductState::Created, ProductState::Active]);
    let to = play.one_of(2, ProductState::ALL);
    let mut platform = play.tx.platform();
    let moved = platform.move_product(id, from, to, (play.chances[3].is_multiple_of(2)).then_some(now))?;
    if play.chances[3].is_multiple_of(5) {
        platform.put_product_since(id, after_seconds(now, -60))?;
    }
    Ok(format!("{moved} {:?}", platform.find_product(id)?))
}

fn claim(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (product, order) = (product(play, 0), ProductOrderId(play.id(1)));
    let mut platform = play.tx.platform();
    let said = match play.chances[2] % 5 {
        0 | 1 => format!("{:?}", platform.take_claim(product.customer, &product.offering, order)?),
        2 => format!("{:?}", platform.take_claim_for_product(&product)?),
        3 => format!("{:?}", platform.pass_claim(order, &product)?),
        _ => {
            let held = platform.find_claim(product.customer, &product.offering)?;
            let holder = held.unwrap_or(ClaimHolder::Order(order));
            platform.release_claim(product.customer, &product.offering, holder)?;
            String::new()
        }
    };
    Ok(format!("{said} {:?}", platform.find_claim(product.customer, &product.offering)?))
}

fn confirmation_told(row: &ConfirmationRow) -> String {
    let code = row.code.expose();
    format!(
        "{:?} {code} {:?} {:?} {} {} {:?} {:?}",
        row.order, row.accepted, row.deadline, row.attempts, row.asked, row.outcome, row.closed
    )
}

fn confirmation(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let now = play.world.now();
    let row = ConfirmationRow {
        order: ProductOrderId(if play.chances[3].is_multiple_of(5) { play.id(3) } else { play.fresh() }),
        customer: play.person(0),
        code: ConfirmationCode::parse(play.one_of(1, &["4827", "0000"])).unwrap(),
        suffix: "17".to_owned(),
        text: TextId(play.id(2)),
        written: now,
        accept_by: after_seconds(now, 10),
        accepted: None,
        deadline: after_seconds(now, 20),
        attempts: 0,
        asked: false,
        outcome: ConfirmationOutcome::Open,
        closed: None,
    };
    play.tx.platform().insert_confirmation(&row)?;
    let since = after_seconds(now, -3_600);
    let all = play.tx.platform().list_confirmations(row.customer, since)?;
    Ok(format!("{:?}", all.iter().map(confirmation_told).collect::<Vec<_>>()))
}

fn close_confirmation(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (order, now) = (ProductOrderId(play.id(0)), play.world.now());
    let outcome = play.one_of(1, &[ConfirmationOutcome::Confirmed, ConfirmationOutcome::Ended]);
    let mut platform = play.tx.platform();
    let accepted = platform.accept_confirmation(order, now, after_seconds(now, 30))?;
    platform.count_attempt(order)?;
    let asked = platform.mark_asked(order)?;
    let closed = if play.chances[2].is_multiple_of(2) {
        Some(platform.close_confirmation(order, outcome)?)
    } else {
        None
    };
    let found = platform.find_confirmation(order)?.as_ref().map(confirmation_told);
    Ok(format!("{accepted} {asked} {closed:?} {found:?}"))
}

fn charge(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let product = product(play, 0);
    play.tx.platform().insert_activation_charge(&product)?;
    let reverses = (play.chances[3].is_multiple_of(3)).then(|| play.id(3));
    let charge = NewCharge {
        product: &product,
        money: product.price.money,
        kind: if reverses.is_some() { ChargeKind::Reversal } else { ChargeKind::Renewal },
        period_no: (play.chances[1] % 3) as i64,
        reverses,
    };
    let mut platform = play.tx.platform();
    let fresh = platform.insert_charge(&charge)?;
    let (all, listed) = (platform.list_product_charges(product.id)?, platform.list_charges(product.id)?);
    play.known.ids.extend(listed.iter().map(|(id, ..)| *id));
    let since = after_seconds(play.world.now(), -3_600);
    let spend = play.tx.platform().load_spend(product.customer, since, None)?;
    Ok(format!("{fresh} {all:?} {listed:?} {spend}"))
}

fn settle_charge(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (id, who, after) = (play.id(0), play.person(1), play.id(3));
    let mut platform = play.tx.platform();
    match play.chances[2] % 4 {
        0 => platform.settle_charge(id)?,
        1 => platform.fail_charge(id, true)?,
        2 => platform.fail_charge(id, false)?,
        _ => drop(platform.retry_charge(id)?),
    }
    let (open, payers) = (platform.list_open_charges(who, 3)?, platform.list_open_payers(Some(who), 3)?);
    let (refused, all) = (platform.list_refused_charges(after, 3)?, platform.list_all_charges(after, 3)?);
    let (found, count) = (platform.find_charge(id)?, platform.count_open_charges()?);
    Ok(format!("{found:?} {open:?} {payers:?} {refused:?} {all:?} {count:?}"))
}

fn term(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (product, now) = (product(play, 0).id, play.world.now());
    let term = TermRow {
        product,
        renews: play.chances[1].is_multiple_of(2),
        anchor: now,
        anchor_no: 0,
        period_no: (play.chances[2] % 3) as i64,
        due: after_seconds(now, 90),
        look_at: after_seconds(now, play.chances[2] as i64 - 500),
        refused: (play.chances[3].is_multiple_of(3)).then_some(now),
    };
    let mut platform = play.tx.platform();
    match play.chances[3] % 5 {
        0 => platform.remove_term(product)?,
        1 => platform.postpone_term(product, after_seconds(now, 10))?,
        _ => platform.put_term(&term)?,
    }
    Ok(format!("{:?} {:?}", platform.find_term(product)?, platform.list_terms_due(now, 3)?))
}

fn provision(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (product, provider, now) = (product(play, 0), provider_id(play, 1), play.world.now());
    let action = play.one_of(2, &[ProvisioningAction::Activate, ProvisioningAction::Stop]);
    let key = format!("key-{}", play.chances[3] % 6);
    let call = NewProvisioning {
        key: key.clone(),
        provider: &provider,
        action,
        product: &product,
        order: (play.chances[1].is_multiple_of(2)).then(|| ProductOrderId(play.id(1))),
        reverses: None,
        due: after_seconds(now, play.chances[3] as i64 - 500),
    };
    let outcome =
        play.one_of(3, &[ProvisioningOutcome::Done, ProvisioningOutcome::Refused, ProvisioningOutcome::Open]);
    let mut platform = play.tx.platform();
    let fresh = platform.insert_provisioning(&call)?;
    let done = match play.chances[1] % 4 {
        0 => Some(platform.settle_provisioning(&key, outcome)?),
        1 => Some(platform.postpone_provisioning(&key, after_seconds(now, 60))?),
        _ => None,
    };
    let (found, next) =
        (platform.find_provisioning(product.id, action)?, platform.next_provisioning(&provider)?);
    let due = platform.list_provisioning_due(&provider, now, 3)?;
    Ok(format!("{fresh} {done:?} {found:?} {next:?} {due:?} {:?}", platform.list_waiting_providers()?))
}

fn join(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let product = product(play, 0);
    let group = GroupId::parse(play.one_of(1, &["a", "B"])).unwrap();
    let wanted = ShortNumber::parse(play.one_of(2, &["6001", "6002", "6003"]))
        .filter(|_| play.chances[3].is_multiple_of(2));
    let rules = GroupRules::new(4, 3).unwrap();
    let joined = play.tx.platform().join_group(&product, &group, rules, wanted.as_ref())?;
    if let Joined::In(membership) = &joined {
        play.known.references.push(membership.reference.clone());
    }
    let mut platform = play.tx.platform();
    Ok(format!(
        "{joined:?} {:?} {:?}",
        platform.list_short_numbers(&group)?,
        platform.find_membership_of(product.customer)?
    ))
}

fn leave_group(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let product = product(play, 0).id;
    let place = play.chances[1] % (play.known.references.len() + 1);
    let reference = play.known.references.get(place).cloned().unwrap_or_default();
    let mut platform = play.tx.platform();
    platform.leave_group(product)?;
    Ok(format!(
        "{:?} {:?}",
        platform.find_membership(product)?,
        platform.find_membership_by_reference(&reference)?
    ))
}

fn listener(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let row = HubListenerRow {
        id: HubId(play.fresh()),
        interface: play.one_of(0, &["/a", "/b"]).to_owned(),
        callback: play.one_of(1, &["http://x/", "http://y/"]).to_owned(),
        query: play.one_of(2, &WORDS).to_owned(),
    };
    let mut platform = play.tx.platform();
    let kept = platform.put_listener(&row)?.id;
    let listed = platform.list_listeners(&row.interface)?;
    let gone =
        if play.chances[3].is_multiple_of(4) { Some(platform.remove_listener("/a", kept)?) } else { None };
    let listed: Vec<_> = listed.into_iter().map(|one| (one.id, one.callback, one.query)).collect();
    play.known.ids.push(kept.0);
    Ok(format!("{kept:?} {listed:?} {gone:?}"))
}

fn hub_event(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (listener, id) = (HubId(play.id(0)), HubEventId(play.fresh()));
    let mut platform = play.tx.platform();
    platform.append_hub_event(listener, id, "Kind", &[0, 255])?;
    let waiting = platform.list_hub_events(listener, 3)?;
    match play.chances[1] % 4 {
        0 => platform.drop_hub_events(listener)?,
        1 => platform.remove_hub_events(listener, &[waiting[0].seq])?,
        _ => {}
    }
    let waiting: Vec<_> = waiting.into_iter().map(|one| (one.id, one.kind, one.body)).collect();
    let found = platform.find_listener(listener)?.map(|one| one.id);
    Ok(format!("{waiting:?} {found:?} {}", platform.count_hub_events(listener)?))
}

fn withdraw(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let id = play.id(0);
    Ok(format!("{:?} {:?}", play.tx.platform().withdraw(id)?, play.tx.platform().is_withdrawn(id)?))
}
