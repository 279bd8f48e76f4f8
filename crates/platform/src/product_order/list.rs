//! GET productOrder: filters `externalId`, `relatedParty.id`, `state`.

use axum::extract::State;
use axum::response::Response;
use domain::order::OrderState;
use store::StoreError;
use store::platform::OrderFilter;

use crate::Platform;
use crate::lists::{Pairs, customers, keys, page, read_query, words};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn list(State(platform): State<Platform>, pairs: Pairs) -> Result<Response, Refusal> {
    let query = read_query(pairs, &["externalId", "relatedParty.id", "state"])?;
    let (offset, limit) = (query.offset, query.limit);
    let numbers = customers(&query);
    let (external_ids, states) =
        (query.filter("externalId").map(<[String]>::to_vec), words(&query, "state", OrderState::parse));
    let (orders, total) = platform
        .store
        .read(move |view| {
            let mut platform = view.platform();
            let customers = keys(&platform, numbers.as_deref());
            let filter =
                OrderFilter { external_ids: external_ids.clone(), customers, states: states.clone() };
            platform.list_orders(&filter, offset, limit)
        })
        .await
        .map_err(|error: StoreError| Refusal::from(error))?;
    let orders: Vec<_> = orders.iter().map(wire::order).collect();
    Ok(page(&orders, total, &query))
}
