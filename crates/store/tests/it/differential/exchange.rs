//! Verbs of the exchange: subscriptions, shares, orders, events, first answers, jobs, the funnel.

use domain::consent::Audience;
use domain::funnel::FunnelStep;
use domain::ids::{OrderId, SubscriptionId};
use domain::order::{OrderAction, ProductState, Progress, Reason};
use domain::world::after_seconds;
use serde_json::{Value, json};
use store::exchange::{EventKind, NewOrder, PlatformNews, ProductNews};
use store::friends::FeedFilter;
use store::jobs::{Job, JobKind};
use store::{FunnelEvent, StoreError};

use super::people::WORDS;
use super::{Play, Verb};
use crate::share_laws::card_of;

const KINDS: [JobKind; 4] =
    [JobKind::ForwardOrder, JobKind::SyncSubscriptions, JobKind::TextSettled, JobKind::DeliverHubEvents];
const KEYS: [&str; 3] = ["key", "KEY", "!"];

pub(super) const VERBS: &[(&str, Verb)] = &[
    ("card", card),
    ("card", card),
    ("subscribe", subscribe),
    ("subscribe", subscribe),
    ("subscribe", subscribe),
    ("replace subscriptions", replace_subscriptions),
    ("share", share),
    ("share", share),
    ("share", share),
    ("unshare", unshare),
    ("see", see),
    ("order", order),
    ("order", order),
    ("order twice", order_twice),
    ("news of an order", news),
    ("news of an order", news),
    ("give an order up", give_up),
    ("list orders", list_orders),
    ("event", event),
    ("events", events),
    ("compare", compare),
    ("enqueue", enqueue),
    ("enqueue", enqueue),
    ("lease", lease),
    ("lease", lease),
    ("end a job", end_job),
    ("end a job", end_job),
    ("dead jobs", dead_jobs),
    ("funnel", funnel),
];

fn card(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (offering, version) = (play.offering(0), (play.chances[2] % 5) as i64);
    let card = card_of(offering.as_str(), play.chances[1] < 200, version);
    play.tx.exchange().put_card(&card)?;
    Ok(format!(
        "{:?} {:?}",
        play.tx.exchange().find_card(&offering)?,
        play.tx.exchange().has_card(&offering)?
    ))
}

fn product_news(play: &Play<'_, '_>, which: usize) -> ProductNews {
    let states =
        [ProductState::Active, ProductState::Active, ProductState::Suspended, ProductState::Terminated];
    let offering = play.offering(which);
    let referral = Some(play.one_of(2, &WORDS).to_owned()).filter(|word| !word.is_empty());
    ProductNews {
        product: format!("p-{}-{}", play.place(0), offering.as_str()),
        offering,
        state: play.one_of(3, &states),
        since: play.world.now(),
        referral,
    }
}

fn subscribe(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, news) = (play.person(0), product_news(play, 1));
    play.tx.exchange().put_subscription(who, &news)?;
    list_subscriptions(play)
}

fn list_subscriptions(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let who = play.person(0);
    let all = play.tx.exchange().list_subscriptions(who)?;
    play.known.ids.extend(all.iter().map(|one| one.id.0));
    Ok(format!("{all:?}"))
}

fn replace_subscriptions(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, one, other) = (play.person(0), product_news(play, 1), product_news(play, 2));
    let all = if one.product == other.product { vec![one] } else { vec![one, other] };
    let all = if play.chances[3].is_multiple_of(5) { Vec::new() } else { all };
    play.tx.exchange().replace_subscriptions(who, &all)?;
    play.tx.exchange().mark_subscriptions_compared(who)?;
    list_subscriptions(play)
}

/// One of a person's own subscriptions, or of anybody's.
fn subscription(play: &mut Play<'_, '_>) -> Result<SubscriptionId, StoreError> {
    let who = play.person(0);
    let all = play.tx.exchange().list_subscriptions(who)?;
    let own = all.get(play.chances[1] % (all.len() + 1)).map(|one| one.id);
    Ok(own.unwrap_or_else(|| SubscriptionId(play.id(1))))
}

fn share(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, id) = (play.person(0), subscription(play)?);
    let only = Audience::Only(vec![play.person(2), play.person(3), play.person(2)]);
    let audience = if play.chances[3].is_multiple_of(2) { Audience::Matches } else { only };
    let (no, fresh) = play.tx.exchange().share(who, id, &audience)?;
    play.known.shares.push(no);
    let mut exchange = play.tx.exchange();
    let mut viewers = exchange.list_viewers(id)?;
    viewers.sort();
    Ok(format!("{no} {fresh} {viewers:?} {:?} {:?}", exchange.find_share(id)?, exchange.find_referral(no)?))
}

fn unshare(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let id = subscription(play)?;
    Ok(format!("{:?} {:?}", play.tx.exchange().unshare(id)?, play.tx.exchange().find_share(id)?))
}

fn share_number(play: &Play<'_, '_>, which: usize) -> i64 {
    let shares = &play.known.shares;
    shares.get(play.chances[which] % (shares.len() + 1)).copied().unwrap_or(-1)
}

fn see(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, share) = (play.person(0), share_number(play, 1));
    let marked = play.tx.exchange().mark_seen(share, who, play.chances[2].is_multiple_of(2))?;
    let feed =
        play.tx.friends().list_feed(who, &FeedFilter { before: Some(share), ..FeedFilter::default() }, 9)?;
    Ok(format!("{marked} {feed:?} {:?}", play.tx.friends().find_feed_item(who, share)?))
}

fn new_order(play: &mut Play<'_, '_>, id: OrderId) -> NewOrder {
    NewOrder {
        id,
        orderer: play.person(0),
        action: play.one_of(2, &[OrderAction::Add, OrderAction::Add, OrderAction::Delete]),
        offering: play.offering(1),
        version: (play.chances[2].is_multiple_of(2)).then_some(3),
        product: (play.chances[3].is_multiple_of(2)).then(|| "p".to_owned()),
        share: (play.chances[3].is_multiple_of(3)).then(|| share_number(play, 3)),
    }
}

/// As a tap places one: the first answer, the order, its job, the funnel's step and the answer.
fn order(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let id = OrderId(play.fresh());
    let new = new_order(play, id);
    let (key, body, now) = (play.one_of(2, &KEYS), play.one_of(3, &["a", "b"]).as_bytes(), play.world.now());
    let first = play.tx.exchange().find_first_answer(new.orderer, key, body, now)?;
    let open = play.tx.exchange().has_open_order(new.orderer, &new.offering)?;
    let count = play.tx.exchange().count_open_orders(new.orderer)?;
    let order = play.tx.exchange().insert_order(&new)?;
    play.tx.jobs().enqueue(JobKind::ForwardOrder, &json!({ "order": id }), now)?;
    if first == store::exchange::FirstAnswer::New {
        play.tx.exchange().keep_first_answer(new.orderer, key, body, &format!("{:?}", order.state))?;
    }
    Ok(format!("{first:?} {open} {count} {order:?}"))
}

/// An id that may have been used: a mistake of a caller, and the same mistake in both.
fn order_twice(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let id = OrderId(play.id(3));
    let new = new_order(play, id);
    Ok(format!("{:?}", play.tx.exchange().insert_order(&new)?))
}

fn news(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let id = OrderId(play.id(0));
    let news = PlatformNews {
        platform_order: play.one_of(1, &WORDS).to_owned(),
        state: play.one_of(1, Progress::ALL),
        reason: (play.chances[2].is_multiple_of(2)).then(|| play.one_of(2, Reason::ALL)),
        at: after_seconds(play.world.now(), play.chances[3] as i64 - 500),
    };
    let changed = play.tx.exchange().apply_news(id, &news)?;
    Ok(format!("{changed:?} {:?}", play.tx.exchange().find_any_order(id)?))
}

fn give_up(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (id, reason) =
        (OrderId(play.id(0)), play.one_of(1, &[Reason::OrderOpen, Reason::PlatformUnreachable]));
    let mut exchange = play.tx.exchange();
    exchange.want_cancelled(id)?;
    let wanted = exchange.is_cancel_wanted(id)?;
    Ok(format!("{wanted} {:?}", exchange.end_unforwarded(id, Progress::Failed, reason)?))
}

fn list_orders(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, before) = (play.person(0), (play.chances[1].is_multiple_of(2)).then(|| OrderId(play.id(2))));
    let all = play.tx.exchange().list_orders(who, before, 3)?;
    Ok(format!("{all:?} {:?}", play.tx.funnel().list_of_person(who, 3)?))
}

fn event(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, friend) = (play.person(0), play.person(1));
    let (kind, friend) = match play.chances[2] % 3 {
        0 => (EventKind::Order, None),
        1 => (EventKind::Match, Some(friend)),
        _ => (EventKind::Share, Some(friend)),
    };
    let data = json!({ "word": play.one_of(3, &WORDS) });
    play.tx.exchange().append_event(who, kind, friend, &data)?;
    events(play)
}

fn events(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, from) = (play.person(0), play.chances[3] as i64 % 2 * i64::MAX);
    let mut exchange = play.tx.exchange();
    let (last, places) = (exchange.last_event(who)?, exchange.newest_places(who)?);
    Ok(format!(
        "{last} {places:?} {:?} {:?}",
        exchange.list_events(who, 0, 0, 4)?,
        exchange.list_events(who, last, from, 4)?
    ))
}

fn compare(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (id, now) = (OrderId(play.id(0)), play.world.now());
    let mut exchange = play.tx.exchange();
    let before = after_seconds(now, 1);
    let uncompared = exchange.list_uncompared(before, after_seconds(now, -9_999), 9)?;
    exchange.mark_compared(id)?;
    Ok(format!("{uncompared:?} {:?}", exchange.list_subscribers_uncompared(before, 3)?))
}

fn enqueue(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (kind, topic, payload) = (play.one_of(0, &KINDS), play.one_of(1, &WORDS), json!(play.chances[3]));
    let at = after_seconds(play.world.now(), play.chances[3] as i64 - 500);
    let mut jobs = play.tx.jobs();
    match play.chances[2] % 6 {
        0 | 1 => jobs.enqueue(kind, &payload, at)?,
        2 => jobs.drop_topic(kind, topic)?,
        3 => jobs.rerun_topic(kind, topic)?,
        _ => jobs.enqueue_topic(kind, topic, &payload, at)?,
    }
    let waits = jobs.is_waiting(kind, topic)?;
    let counts = jobs.counts(play.world.now())?;
    Ok(format!("{waits} {counts:?} {:?} {:?}", jobs.oldest_due(play.world.now())?, jobs.next_due(&KINDS)?))
}

/// A job without its number: databases count in ways of their own, and nothing else names a job.
fn told(job: &Job) -> Result<String, StoreError> {
    Ok(format!("{:?} {} {:?}", job.kind, job.attempts, job.payload::<Value>()?))
}

fn lease(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let kinds = &KINDS[play.chances[0] % KINDS.len()..];
    let leased = play.tx.jobs().lease(kinds, play.chances[1] % 5)?;
    play.known.jobs.extend_from_slice(&leased);
    Ok(leased.iter().map(told).collect::<Result<Vec<_>, _>>()?.join(", "))
}

fn end_job(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let place = play.chances[0] % (play.known.jobs.len() + 1);
    let Some(job) = play.known.jobs.get(place).cloned() else { return Ok(String::new()) };
    let at = after_seconds(play.world.now(), play.chances[2] as i64);
    match play.chances[1] % 4 {
        0 | 1 => play.tx.jobs().finish(&job)?,
        way => {
            // So often that some are set aside.
            let mut worn = job.clone();
            worn.attempts += (play.chances[3] % 30) as i64;
            play.tx.jobs().give_back(&worn, at, way == 2)?;
        }
    }
    told(&job)
}

fn dead_jobs(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let dead = play.tx.jobs().list_dead(0, 9)?;
    let mut said: Vec<String> = dead
        .iter()
        .map(|one| format!("{:?} {} {} {}", one.kind, one.payload, one.attempts, one.run_at))
        .collect();
    if let Some(one) = dead.get(play.chances[0] % (dead.len() + 1)) {
        let removed = play.tx.jobs().remove_dead(one.id)?.is_some();
        said.push(format!("{removed} {}", play.tx.jobs().retry_dead(one.id)?));
    }
    Ok(said.join(", "))
}

fn funnel(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let steps = [FunnelStep::Shared, FunnelStep::Seen, FunnelStep::Tapped, FunnelStep::Active];
    let step = play.one_of(0, &steps);
    let event = FunnelEvent {
        step,
        offering: Some(play.offering(1)),
        person: (play.chances[2].is_multiple_of(2)).then(|| play.person(2)),
        friend: Some(play.person(3)),
        cause: Some(play.one_of(3, &WORDS).to_owned()),
    };
    play.tx.funnel().record(&event)?;
    if play.chances[1] < 200 {
        let (who, cause) = (play.person(2), play.one_of(1, &WORDS));
        play.tx.funnel().unlink(who, cause)?;
    }
    let since = after_seconds(play.world.now(), -3_600);
    Ok(format!("{:?}", play.tx.funnel().count(step, since)?))
}
