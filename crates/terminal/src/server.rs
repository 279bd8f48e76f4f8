//! The server as the terminal needs it: ports, implemented by [`Client`] and by scripts in tests.
//!
//! Each function takes the narrowest of them. Every method is one call of the contract and has the
//! errors of [`ClientError`].

use std::future::Future;

use api::book::{AmendBook, BookChanged, BookStatus, ReplaceBook};
use api::client::{Client, ClientError};
use api::feed::{FeedFilter, FeedItem};
use api::matches::Match;
use api::orders::Order;
use api::subscriptions::{SetShare, Share, Subscription, Unsubscribing};
use api::{Code, Page};
use domain::ids::{OrderId, SubscriptionId};

/// What a call answers.
pub type Answer<T> = Result<T, ClientError>;

/// Keeps the book.
pub trait BookServer: Sync {
    /// The book's version and size.
    fn book(&self) -> impl Future<Output = Answer<BookStatus>> + Send;
    /// Delivers the whole book, onto the version named.
    fn replace_book(
        &self,
        body: &ReplaceBook,
        if_match: i64,
    ) -> impl Future<Output = Answer<BookChanged>> + Send;
    /// Delivers what changed, onto the version named.
    fn amend_book(&self, body: &AmendBook, if_match: i64)
    -> impl Future<Output = Answer<BookChanged>> + Send;
}

/// Keeps the encrypted backup.
pub trait BackupServer: Sync {
    /// The blob and its version; `None` when there is none.
    fn backup(&self) -> impl Future<Output = Answer<Option<(i64, Vec<u8>)>>> + Send;
    /// Keeps a blob in place of the version named; version 0 is none.
    fn put_backup(&self, blob: Vec<u8>, if_match: i64) -> impl Future<Output = Answer<()>> + Send;
}

/// Keeps what the person has and shares.
pub trait ShareServer: Sync {
    /// One page of the subscriptions.
    fn subscriptions(&self, cursor: Option<&str>) -> impl Future<Output = Answer<Page<Subscription>>> + Send;
    /// Shows a service to an audience.
    fn share(&self, id: SubscriptionId, body: &SetShare) -> impl Future<Output = Answer<Share>> + Send;
    /// Hides it again.
    fn unshare(&self, id: SubscriptionId) -> impl Future<Output = Answer<()>> + Send;
    /// Ends a subscription.
    fn unsubscribe(&self, id: SubscriptionId) -> impl Future<Output = Answer<Unsubscribing>> + Send;
}

/// Shows what friends share.
pub trait FeedServer: Sync {
    /// One page of the matches.
    fn matches(&self, cursor: Option<&str>) -> impl Future<Output = Answer<Page<Match>>> + Send;
    /// One page of the feed.
    fn feed(
        &self,
        filter: &FeedFilter,
        cursor: Option<&str>,
    ) -> impl Future<Output = Answer<Page<FeedItem>>> + Send;
    /// One page of what one friend shares.
    fn friend_shares(
        &self,
        number: &str,
        cursor: Option<&str>,
    ) -> impl Future<Output = Answer<Page<FeedItem>>> + Send;
}

/// Takes orders.
pub trait OrderServer: Sync {
    /// Orders what is shared; the same key again is the same order.
    fn place_order(&self, share_id: &str, key: &str) -> impl Future<Output = Answer<Order>> + Send;
    /// One order, after at most `wait_s` seconds.
    fn order(&self, id: OrderId, wait_s: u32) -> impl Future<Output = Answer<Order>> + Send;
    /// One page of the orders.
    fn orders(&self, cursor: Option<&str>) -> impl Future<Output = Answer<Page<Order>>> + Send;
    /// Stops an order that still can be stopped.
    fn cancel_order(&self, id: OrderId) -> impl Future<Output = Answer<Order>> + Send;
}

impl BookServer for Client {
    async fn book(&self) -> Answer<BookStatus> {
        Self::book(self).await
    }

    async fn replace_book(&self, body: &ReplaceBook, if_match: i64) -> Answer<BookChanged> {
        Self::replace_book(self, body, Some(if_match)).await
    }

    async fn amend_book(&self, body: &AmendBook, if_match: i64) -> Answer<BookChanged> {
        Self::amend_book(self, body, Some(if_match)).await
    }
}

impl BackupServer for Client {
    async fn backup(&self) -> Answer<Option<(i64, Vec<u8>)>> {
        match Self::backup(self).await {
            Ok((version, blob)) => Ok(Some((version, blob.into()))),
            Err(error) if error.code() == Some(Code::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn put_backup(&self, blob: Vec<u8>, if_match: i64) -> Answer<()> {
        Self::put_backup(self, blob.into(), Some(if_match)).await
    }
}

impl ShareServer for Client {
    async fn subscriptions(&self, cursor: Option<&str>) -> Answer<Page<Subscription>> {
        Self::subscriptions(self, cursor).await
    }

    async fn share(&self, id: SubscriptionId, body: &SetShare) -> Answer<Share> {
        Self::share(self, id, body).await
    }

    async fn unshare(&self, id: SubscriptionId) -> Answer<()> {
        Self::unshare(self, id).await
    }

    async fn unsubscribe(&self, id: SubscriptionId) -> Answer<Unsubscribing> {
        Self::unsubscribe(self, id).await
    }
}

impl FeedServer for Client {
    async fn matches(&self, cursor: Option<&str>) -> Answer<Page<Match>> {
        Self::matches(self, cursor).await
    }

    async fn feed(&self, filter: &FeedFilter, cursor: Option<&str>) -> Answer<Page<FeedItem>> {
        Self::feed(self, filter, cursor).await
    }

    async fn friend_shares(&self, number: &str, cursor: Option<&str>) -> Answer<Page<FeedItem>> {
        Self::friend_shares(self, number, cursor).await
    }
}

impl OrderServer for Client {
    async fn place_order(&self, share_id: &str, key: &str) -> Answer<Order> {
        Self::place_order(self, share_id, key).await
    }

    async fn order(&self, id: OrderId, wait_s: u32) -> Answer<Order> {
        Self::order(self, id, wait_s).await
    }

    async fn orders(&self, cursor: Option<&str>) -> Answer<Page<Order>> {
        Self::orders(self, cursor).await
    }

    async fn cancel_order(&self, id: OrderId) -> Answer<Order> {
        Self::cancel_order(self, id).await
    }
}

/// Walks a list to its end; a server that gives the same cursor twice does not hold us for ever.
pub(crate) async fn all<T, F>(mut page: impl FnMut(Option<String>) -> F) -> Answer<Vec<T>>
where
    F: Future<Output = Answer<Page<T>>>,
{
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let next = page(cursor.clone()).await?;
        items.extend(next.items);
        if next.next.is_none() || next.next == cursor {
            return Ok(items);
        }
        cursor = next.next;
    }
}
