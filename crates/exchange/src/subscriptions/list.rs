//! `GET /v1/subscriptions`

use api::Page;
use api::subscriptions::Subscription;
use axum::Json;
use axum::extract::State;
use edge::{Caller, Paging, Problem};

use crate::Exchange;
use crate::problem::Refused;

/// Lists the caller's subscriptions, as far as they allow them to be kept.
#[utoipa::path(get, path = "/v1/subscriptions", operation_id = "listSubscriptions", security(("token" = [])), params(edge::PagingParams),
    responses((status = 200, body = Page<Subscription>)))]
pub async fn list(
    State(exchange): State<Exchange>,
    caller: Caller,
    paging: Paging,
) -> Result<Json<Page<Subscription>>, Problem> {
    let read = exchange
        .store
        .read::<_, Refused, _>(move |view| Ok(view.exchange().list_subscriptions(caller.key)?));
    let held = read.await.map_err(Problem::from)?;
    let shown = |one: store::exchange::Subscription| Subscription {
        name: one.name(caller.locale).to_owned(),
        shareable: one.is_shareable(),
        id: one.id,
        offering: one.offering.to_string(),
        status: one.state.word().to_owned(),
        since: one.since,
        shared: one.shared,
    };
    Ok(Json(paging.cut(held.into_iter().map(shown).collect(), |one: &Subscription| one.id)?))
}
