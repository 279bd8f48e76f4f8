//! The access unit: what friends share, and ordering it for oneself. Source: claims 21 to 23.

use api::client::ClientError;
use api::feed::{FeedFilter, FeedItem};
use api::matches::Match;
use api::orders::Order;
use domain::ids::OrderId;

use crate::memory::{Memory, MemoryError, remember};
use crate::server::{Answer, FeedServer, OrderServer, all};

/// Why a tap has no answer yet.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// The server refused or could not be reached.
    #[error(transparent)]
    Server(#[from] ClientError),
    /// The terminal cannot remember.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// All the person's matches.
///
/// # Errors
/// Those of the server.
pub async fn friends(server: &impl FeedServer) -> Answer<Vec<Match>> {
    all(|cursor| async move { server.matches(cursor.as_deref()).await }).await
}

/// All that friends share, as far as the filter lets it through.
///
/// # Errors
/// Those of the server.
pub async fn feed(server: &impl FeedServer, filter: &FeedFilter) -> Answer<Vec<FeedItem>> {
    all(|cursor| async move { server.feed(filter, cursor.as_deref()).await }).await
}

/// All that one friend shares.
///
/// # Errors
/// Those of the server; `not-found` for whoever is no match.
pub async fn friend_shares(server: &impl FeedServer, number: &str) -> Answer<Vec<FeedItem>> {
    all(|cursor| async move { server.friend_shares(number, cursor.as_deref()).await }).await
}

/// Orders a shared service, once.
///
/// The key is remembered before the request leaves and forgotten when the server has answered, so that
/// a tap after a lost answer, or after a crash, is the same order. `fresh_key` is used for a new tap.
///
/// # Errors
/// [`TapError`]; after one that leaves it open whether the order was placed, the same call tries the same order again.
pub async fn tap(
    server: &impl OrderServer,
    memory: &impl Memory,
    share_id: &str,
    fresh_key: &str,
) -> Result<Order, TapError> {
    let mut key = fresh_key.to_owned();
    remember(memory, |state| {
        key.clone_from(state.taps.entry(share_id.to_owned()).or_insert_with(|| key.clone()));
    })?;
    let answer = server.place_order(share_id, &key).await;
    if answer.as_ref().map_or_else(is_settled, |_| true) {
        remember(memory, |state| {
            state.taps.remove(share_id);
        })?;
    }
    Ok(answer?)
}

/// Whether an error says for certain that no order was placed: only a refusal does, or a request that
/// could not even be sent.
fn is_settled(error: &ClientError) -> bool {
    match error {
        ClientError::Problem { problem, .. } => problem.status < 500 && !error.is_retryable(),
        ClientError::Address | ClientError::Unsendable(_) | ClientError::Setup(_) => true,
        ClientError::Unreachable { .. }
        | ClientError::Interrupted(_)
        | ClientError::NotHutong { .. }
        | ClientError::Redirected { .. } => false,
    }
}

/// All the person's orders.
///
/// # Errors
/// Those of the server.
pub async fn orders(server: &impl OrderServer) -> Answer<Vec<Order>> {
    all(|cursor| async move { server.orders(cursor.as_deref()).await }).await
}

/// Follows an order until nothing more follows, or until the server has been asked `rounds` times, each
/// waiting up to `wait_s` seconds (30 at most).
///
/// # Errors
/// Those of the server.
pub async fn follow(server: &impl OrderServer, id: OrderId, rounds: u32, wait_s: u32) -> Answer<Order> {
    let mut order = server.order(id, 0).await?;
    for _ in 0..rounds {
        if order.state.is_final() {
            break;
        }
        order = server.order(id, wait_s).await?;
    }
    Ok(order)
}

/// Stops an order that still can be stopped.
///
/// # Errors
/// Those of the server; `order/not-cancellable` for one that cannot.
pub async fn cancel(server: &impl OrderServer, id: OrderId) -> Answer<Order> {
    server.cancel_order(id).await
}
