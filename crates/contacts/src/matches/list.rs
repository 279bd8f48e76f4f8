//! `GET /v1/matches`

use api::Page;
use api::matches::Match;
use axum::Json;
use axum::extract::State;
use domain::Msisdn;
use edge::{Caller, Paging, Problem};

use crate::Contacts;
use crate::problem::Refused;

/// Lists the matches, a page at a time.
#[utoipa::path(get, path = "/v1/matches", operation_id = "listMatches", security(("token" = [])), params(edge::PagingParams),
    responses((status = 200, body = Page<Match>)))]
pub async fn list(
    State(contacts): State<Contacts>,
    caller: Caller,
    paging: Paging,
) -> Result<Json<Page<Match>>, Problem> {
    // The cursor is a number that the caller has just been shown, not its key.
    let after: Option<String> = paging.after()?;
    let after =
        after.map(|number| Msisdn::parse_e164(&number).map_err(|_| edge::cursor::refused())).transpose()?;
    let after = after.map(|number| contacts.store.keys().contact_key(number));
    let count = paging.fetch();
    let read = contacts
        .store
        .read_friends::<_, Refused, _>(move |friends| Ok(friends.list_matches(caller.key, after, count)?));
    let shown = |m: store::friends::Match| Match { number: m.number.e164(), since: m.since };
    let matches = read.await.map_err(Problem::from)?.into_iter().map(shown).collect();
    Ok(Json(paging.page(matches, |last: &Match| last.number.clone())))
}
