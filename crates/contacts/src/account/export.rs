//! `GET /v1/me/export`

use api::account::{Activity, Export};
use api::book::BookStatus;
use api::matches::Match;
use api::orders::Order;
use api::subscriptions::{Audience, Share, Subscription};
use axum::Json;
use axum::extract::State;
use domain::key::ContactKey;
use domain::limits;
use domain::locale::Locale;
use edge::{Caller, NoQuery, Problem};
use store::View;

use super::sessions::read_sessions;
use super::show::read_me;
use crate::Contacts;
use crate::problem::Refused;

/// Gives everything held about the caller, in one document.
#[utoipa::path(get, path = "/v1/me/export", operation_id = "exportMe", security(("token" = [])),
    responses((status = 200, body = Export)))]
pub async fn export(
    State(contacts): State<Contacts>,
    caller: Caller,
    _: NoQuery,
) -> Result<Json<Export>, Problem> {
    let now = contacts.world.now();
    let read = contacts.store.read::<_, Refused, _>(move |view| {
        let key = caller.key;
        let book = view.contacts().find_book(key)?;
        let backup = view.contacts().find_backup(key)?;
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (subscriptions, shares) = read_subscriptions(view, key, caller.locale)?;
        Ok(Export {
            exported_at: now,
            me: read_me(view, key)?,
            sessions: read_sessions(view, key, caller.session)?,
            book: BookStatus { version: book.version, size: count(book.size) },
            backup_bytes: backup.map(|(_, blob)| count(blob.len())),
            matches: read_matches(view, key)?,
            hidden: view.contacts().count_hidden(key)?,
            subscriptions,
            shares,
            orders: read_orders(view, key, caller.locale)?,
            activity: read_activity(view, key)?,
        })
    });
    read.await.map(Json).map_err(Problem::from)
}

fn read_matches(view: &mut View<'_>, key: ContactKey) -> Result<Vec<Match>, Refused> {
    // Nobody has more matches than a book has numbers.
    let all = view.friends().list_matches(key, None, limits::count(limits::BOOK_NUMBERS_MAX))?;
    Ok(all.into_iter().map(|m| Match { number: m.number.e164(), since: m.since }).collect())
}

fn read_subscriptions(
    view: &mut View<'_>,
    key: ContactKey,
    locale: Locale,
) -> Result<(Vec<Subscription>, Vec<Share>), Refused> {
    let (mut subscriptions, mut shares) = (Vec::new(), Vec::new());
    for held in view.exchange().list_subscriptions(key)? {
        if let Some((since, named)) = view.exchange().find_share(held.id)? {
            // People named in an audience are kept as keys: they count, and cannot be read back.
            let audience = named.map_or(Audience::Matches, |_| Audience::Only(Vec::new()));
            shares.push(Share { subscription: held.id, audience, since });
        }
        subscriptions.push(Subscription {
            name: held.name(locale).to_owned(),
            shareable: held.is_shareable(),
            id: held.id,
            offering: held.offering.to_string(),
            status: held.state.word().to_owned(),
            since: held.since,
            shared: held.shared,
        });
    }
    Ok((subscriptions, shares))
}

fn read_orders(view: &mut View<'_>, key: ContactKey, locale: Locale) -> Result<Vec<Order>, Refused> {
    let mut orders = Vec::new();
    for order in view.exchange().list_orders(key, None, limits::count(limits::EXPORT_ORDERS_MAX))? {
        let card = view.exchange().find_card(&order.placed.offering)?;
        let name =
            card.as_ref().map_or(order.placed.offering.as_str(), |card| card.offering.name.text(locale));
        orders.push(Order {
            id: order.placed.id,
            state: order.state,
            reason: order.reason,
            offering: order.placed.offering.to_string(),
            name: name.to_owned(),
            action: order.placed.action,
            created_at: order.created,
        });
    }
    Ok(orders)
}

fn read_activity(view: &mut View<'_>, key: ContactKey) -> Result<Vec<Activity>, Refused> {
    let steps = view.funnel().list_of_person(key, limits::count(limits::EXPORT_ORDERS_MAX))?;
    Ok(steps.into_iter().map(|(at, step, offering)| Activity { at, step, offering }).collect())
}
