//! The calls, in the order of the table in `docs`: each does one request.
//!
//! Every method has the same errors: [`ClientError`] says whether the server refused, could not be
//! reached, or was not a Hutong server at all.

use bytes::Bytes;
use domain::consent::Consent;
use domain::ids::{OrderId, RegistrationId, SubscriptionId};
use reqwest::Method;

use super::{Client, ClientError, EventStream};
use crate::Page;
use crate::account::{Export, Me, Session};
use crate::book::{AmendBook, BACKUP_MEDIA_TYPE, BookChanged, BookStatus, ReplaceBook};
use crate::consents::GiveConsent;
use crate::feed::{FeedFilter, FeedItem};
use crate::matches::Match;
use crate::orders::{IDEMPOTENCY_KEY, Order, PlaceOrder};
use crate::registration::{BeginRegistration, ConfirmRegistration, RegistrationBegun, SignedIn};
use crate::subscriptions::{SetShare, Share, Subscription, Unsubscribing};

type Answer<T> = Result<T, ClientError>;

impl Client {
    /// `POST /v1/registrations`: asks for a code by text.
    pub async fn begin_registration(&self, body: &BeginRegistration) -> Answer<RegistrationBegun> {
        self.call(Method::POST, &["registrations"]).json(body).read().await
    }

    /// `POST /v1/registrations/{id}/confirm`: signs in by the code.
    pub async fn confirm_registration(
        &self,
        id: RegistrationId,
        body: &ConfirmRegistration,
    ) -> Answer<SignedIn> {
        self.call(Method::POST, &["registrations", &id.to_string(), "confirm"]).json(body).read().await
    }

    /// `GET /v1/me`: the account.
    pub async fn me(&self) -> Answer<Me> {
        self.call(Method::GET, &["me"]).read().await
    }

    /// `GET /v1/me/export`: everything held about the caller.
    pub async fn export(&self) -> Answer<Export> {
        self.call(Method::GET, &["me", "export"]).read().await
    }

    /// `DELETE /v1/me`: erases the account and all that hangs on it.
    pub async fn forget_me(&self) -> Answer<()> {
        self.call(Method::DELETE, &["me"]).done().await
    }

    /// `GET /v1/me/sessions`: the signed-in devices.
    pub async fn sessions(&self, cursor: Option<&str>) -> Answer<Page<Session>> {
        self.call(Method::GET, &["me", "sessions"]).query("cursor", cursor).read().await
    }

    /// `DELETE /v1/session`: signs this device out.
    pub async fn sign_out(&self) -> Answer<()> {
        self.call(Method::DELETE, &["session"]).done().await
    }

    /// `PUT /v1/book`: delivers the whole book; with `if_match` only onto that version.
    pub async fn replace_book(&self, body: &ReplaceBook, if_match: Option<i64>) -> Answer<BookChanged> {
        let call = self.call(Method::PUT, &["book"]);
        with_version(call, if_match).json(body).read().await
    }

    /// `PATCH /v1/book`: delivers what changed; with `if_match` only onto that version.
    pub async fn amend_book(&self, body: &AmendBook, if_match: Option<i64>) -> Answer<BookChanged> {
        let call = self.call(Method::PATCH, &["book"]);
        with_version(call, if_match).json(body).read().await
    }

    /// `GET /v1/book`: the book's version and size.
    pub async fn book(&self) -> Answer<BookStatus> {
        self.call(Method::GET, &["book"]).read().await
    }

    /// `DELETE /v1/book`: forgets the book.
    pub async fn forget_book(&self) -> Answer<()> {
        self.call(Method::DELETE, &["book"]).done().await
    }

    /// `PUT /v1/book/backup`: keeps an encrypted blob of at most 4 MiB; with `if_match` only in place of
    /// that version, 0 being none.
    pub async fn put_backup(&self, blob: Bytes, if_match: Option<i64>) -> Answer<()> {
        let call = self.call(Method::PUT, &["book", "backup"]);
        with_version(call, if_match).bytes(blob, BACKUP_MEDIA_TYPE).done().await
    }

    /// `GET /v1/book/backup`: gets the blob back with its version; `not-found` when there is none.
    pub async fn backup(&self) -> Answer<(i64, Bytes)> {
        self.call(Method::GET, &["book", "backup"]).versioned_bytes().await
    }

    /// `GET /v1/matches`: one page of the matches.
    pub async fn matches(&self, cursor: Option<&str>) -> Answer<Page<Match>> {
        self.call(Method::GET, &["matches"]).query("cursor", cursor).read().await
    }

    /// `GET /v1/subscriptions`: one page of what the caller has.
    pub async fn subscriptions(&self, cursor: Option<&str>) -> Answer<Page<Subscription>> {
        self.call(Method::GET, &["subscriptions"]).query("cursor", cursor).read().await
    }

    /// `PUT /v1/subscriptions/{id}/share`: shows it to an audience.
    pub async fn share(&self, id: SubscriptionId, body: &SetShare) -> Answer<Share> {
        self.call(Method::PUT, &["subscriptions", &id.to_string(), "share"]).json(body).read().await
    }

    /// `DELETE /v1/subscriptions/{id}/share`: hides it again, at once.
    pub async fn unshare(&self, id: SubscriptionId) -> Answer<()> {
        self.call(Method::DELETE, &["subscriptions", &id.to_string(), "share"]).done().await
    }

    /// `DELETE /v1/subscriptions/{id}`: unsubscribes.
    pub async fn unsubscribe(&self, id: SubscriptionId) -> Answer<Unsubscribing> {
        self.call(Method::DELETE, &["subscriptions", &id.to_string()]).read().await
    }

    /// `GET /v1/feed`: one page of what the matched share.
    pub async fn feed(&self, filter: &FeedFilter, cursor: Option<&str>) -> Answer<Page<FeedItem>> {
        self.call(Method::GET, &["feed"])
            .query("friend", filter.friend.as_deref())
            .query("offering", filter.offering.as_deref())
            .query("cursor", cursor)
            .read()
            .await
    }

    /// `GET /v1/friends/{number}/shares`: what one friend shares.
    pub async fn friend_shares(&self, number: &str, cursor: Option<&str>) -> Answer<Page<FeedItem>> {
        self.call(Method::GET, &["friends", number, "shares"]).query("cursor", cursor).read().await
    }

    /// `POST /v1/orders`: orders what a friend shares; a retry with the same key is the same order.
    pub async fn place_order(&self, share_id: &str, idempotency_key: &str) -> Answer<Order> {
        let body = PlaceOrder { share_id: share_id.to_owned() };
        self.call(Method::POST, &["orders"]).header(IDEMPOTENCY_KEY, idempotency_key).json(&body).read().await
    }

    /// `GET /v1/orders`: one page of the caller's orders.
    pub async fn orders(&self, cursor: Option<&str>) -> Answer<Page<Order>> {
        self.call(Method::GET, &["orders"]).query("cursor", cursor).read().await
    }

    /// `GET /v1/orders/{id}`: one order; waits up to `wait_s` seconds (30 at most) for it to move.
    pub async fn order(&self, id: OrderId, wait_s: u32) -> Answer<Order> {
        let wait = (wait_s > 0).then(|| wait_s.to_string());
        self.call(Method::GET, &["orders", &id.to_string()]).query("wait_s", wait.as_deref()).read().await
    }

    /// `POST /v1/orders/{id}/cancel`: stops an order that still can be stopped.
    pub async fn cancel_order(&self, id: OrderId) -> Answer<Order> {
        self.call(Method::POST, &["orders", &id.to_string(), "cancel"]).read().await
    }

    /// `PUT /v1/consents/{consent}`: gives a consent.
    pub async fn give_consent(&self, consent: Consent, body: &GiveConsent) -> Answer<()> {
        self.call(Method::PUT, &["consents", consent.word()]).json(body).done().await
    }

    /// `DELETE /v1/consents/{consent}`: takes a consent back.
    pub async fn take_back_consent(&self, consent: Consent) -> Answer<()> {
        self.call(Method::DELETE, &["consents", consent.word()]).done().await
    }

    /// `PUT /v1/hidden/{number}`: caller and that person no longer see each other.
    pub async fn hide(&self, number: &str) -> Answer<()> {
        self.call(Method::PUT, &["hidden", number]).done().await
    }

    /// `DELETE /v1/hidden/{number}`: takes that back.
    pub async fn unhide(&self, number: &str) -> Answer<()> {
        self.call(Method::DELETE, &["hidden", number]).done().await
    }

    /// `GET /v1/events`: the caller's events, those after `last_event_id` first.
    pub async fn events(&self, last_event_id: Option<&str>) -> Answer<EventStream> {
        let call = self.call(Method::GET, &["events"]);
        match last_event_id {
            Some(id) => call.header("last-event-id", id).events().await,
            None => call.events().await,
        }
    }
}

fn with_version(call: super::wire::Call, if_match: Option<i64>) -> super::wire::Call {
    match if_match {
        Some(version) => call.header("if-match", &format!("\"{version}\"")),
        None => call,
    }
}
