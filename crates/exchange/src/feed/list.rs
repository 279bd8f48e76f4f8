//! `GET /v1/feed`

use api::Page;
use api::feed::{FeedFilter, FeedItem};
use axum::Json;
use axum::extract::State;
use domain::catalogue::OfferingId;
use domain::number;
use edge::{Caller, Listing, Problem};
use store::friends;

use crate::problem::Refused;
use crate::{Exchange, shown};

/// Lists what the caller's matches share with them, the newest first.
#[utoipa::path(get, path = "/v1/feed", operation_id = "listFeed", security(("token" = [])), params(FeedFilter, edge::PagingParams),
    responses((status = 200, body = Page<FeedItem>)))]
pub async fn list(
    State(exchange): State<Exchange>,
    caller: Caller,
    listing: Listing<FeedFilter>,
) -> Result<Json<Page<FeedItem>>, Problem> {
    let keys = exchange.store.keys().clone();
    let before = super::read_cursor(&keys, &caller, &listing.paging)?;
    let friend = listing.filter.friend.as_deref().map(|raw| number::read_own(raw, exchange.region));
    let offering = listing.filter.offering.as_deref().map(OfferingId::parse);
    // A friend or an offering that cannot be is one that shares nothing.
    let (Ok(friend), Ok(offering)) = (friend.transpose(), offering.transpose()) else {
        return Ok(Json(Page::whole(Vec::new())));
    };
    let filter =
        friends::FeedFilter { friend: friend.map(|number| keys.contact_key(number)), offering, before };
    let count = listing.paging.fetch();
    let read = exchange
        .store
        .read_friends::<_, Refused, _>(move |friends| Ok(friends.list_feed(caller.key, &filter, count)?));
    let items = read.await.map_err(Problem::from)?;
    exchange.note_seen(caller.key, &items[..items.len().min(listing.paging.limit)], false).await;
    let shown =
        items.into_iter().map(|item| shown::feed_item(&keys, caller.key, caller.locale, item)).collect();
    Ok(Json(listing.paging.page(shown, |last: &FeedItem| last.share_id.clone())))
}
