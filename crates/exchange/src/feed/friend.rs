//! `GET /v1/friends/{number}/shares`

use api::Page;
use api::feed::FeedItem;
use axum::Json;
use axum::extract::State;
use domain::number;
use edge::{Caller, Paging, Path, Problem};
use store::friends::FeedFilter;

use crate::problem::Refused;
use crate::{Exchange, shown};

/// Lists what one match shares with the caller. Not matched, hidden, and nobody are all the same 404.
#[utoipa::path(get, path = "/v1/friends/{number}/shares", operation_id = "listFriendShares", security(("token" = [])),
    params(("number" = String, Path, description = "The friend's number, in any reading."), edge::PagingParams),
    responses((status = 200, body = Page<FeedItem>)))]
pub async fn friend(
    State(exchange): State<Exchange>,
    caller: Caller,
    Path(raw): Path<String>,
    paging: Paging,
) -> Result<Json<Page<FeedItem>>, Problem> {
    let keys = exchange.store.keys().clone();
    let number = number::read_own(&raw, exchange.region).map_err(|_| Problem::not_found())?;
    let friend = keys.contact_key(number);
    let (before, count) = (super::read_cursor(&keys, &caller, &paging)?, paging.fetch());
    let read = exchange.store.read_friends::<_, Refused, _>(move |friends| {
        friends.find_match(caller.key, friend)?.ok_or_else(Problem::not_found)?;
        let filter = FeedFilter { friend: Some(friend), offering: None, before };
        Ok(friends.list_feed(caller.key, &filter, count)?)
    });
    let items = read.await.map_err(Problem::from)?;
    exchange.note_seen(caller.key, &items[..items.len().min(paging.limit)], true).await;
    let shown =
        items.into_iter().map(|item| shown::feed_item(&keys, caller.key, caller.locale, item)).collect();
    Ok(Json(paging.page(shown, |last: &FeedItem| last.share_id.clone())))
}
