//! Ordering what a friend shares, and following it to its end.

use api::feed::FeedFilter;
use api::orders::Order;
use domain::ids::{OrderId, SubscriptionId};
use domain::locale::Locale;
use domain::order::Progress;
use domain::texts::reason_words;
use domain::world::World;
use terminal::access::TapError;
use terminal::{access, setting};

use super::prompt::{agrees, say};
use super::services::card;
use super::session::{Session, memory_failure, server_failure};
use crate::failure::Failure;

/// How often, and for how long each time, a new order is asked after: half a minute in all.
const ROUNDS: u32 = 15;
const WAIT_S: u32 = 2;

pub(super) async fn order(session: &Session, share: &str, yes: bool, world: &World) -> Result<(), Failure> {
    let client = session.client()?;
    if !yes {
        let feed = access::feed(&client, &FeedFilter::default()).await.map_err(server_failure)?;
        if let Some(item) = feed.iter().find(|item| item.share_id == share) {
            say(&card(item));
            let price = &item.offering.price;
            let question =
                format!("Order it and pay {} {} / {}?", price.amount, price.currency, price.period.word());
            if !agrees(&question)? {
                return Err(Failure::user("nothing was ordered"));
            }
        }
    }
    let tapped = access::tap(&client, &session.memory, share, &world.uuid().to_string()).await;
    let mut order = tapped.map_err(|error| match error {
        TapError::Server(error) => server_failure(error),
        TapError::Memory(error) => memory_failure(error),
    })?;
    for _ in 0..ROUNDS {
        if order.state.is_final() || order.state == Progress::AwaitingConfirmation {
            break;
        }
        order = access::follow(&client, order.id, 1, WAIT_S).await.map_err(server_failure)?;
    }
    session.print(&order, line)
}

pub(super) async fn list(session: &Session) -> Result<(), Failure> {
    let orders = access::orders(&session.client()?).await.map_err(server_failure)?;
    session.print(&orders, |orders| match orders.as_slice() {
        [] => "No orders yet.\n".to_owned(),
        orders => orders.iter().map(line).collect(),
    })
}

pub(super) async fn cancel(session: &Session, id: OrderId) -> Result<(), Failure> {
    let order = access::cancel(&session.client()?, id).await.map_err(server_failure)?;
    session.print(&order, line)
}

pub(super) async fn unsubscribe(session: &Session, id: SubscriptionId) -> Result<(), Failure> {
    let client = session.client()?;
    let begun = setting::unsubscribe(&client, id).await.map_err(server_failure)?;
    let order = access::follow(&client, begun.order, ROUNDS, WAIT_S).await.map_err(server_failure)?;
    session.print(&order, line)
}

fn line(order: &Order) -> String {
    let what = match order.state {
        Progress::AwaitingConfirmation => "waits for your answer to the text".to_owned(),
        state => state.word().replace('_', " "),
    };
    let why =
        order.reason.map(|reason| format!(": {}", reason_words(Locale::English, reason))).unwrap_or_default();
    format!("{}  {} {}  {what}{why}\n", order.id, order.action.word(), order.name)
}
