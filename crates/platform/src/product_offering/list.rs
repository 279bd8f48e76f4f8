//! GET productOffering: filter `lifecycleStatus`.

use axum::extract::State;
use axum::response::Response;
use store::StoreError;
use tmf::ProductOffering;

use crate::Platform;
use crate::lists::{Pairs, page, read_query, words};
use crate::refusal::Refusal;

pub(crate) async fn list(State(platform): State<Platform>, pairs: Pairs) -> Result<Response, Refusal> {
    let query = read_query(pairs, &["lifecycleStatus"])?;
    let (offset, limit) = (query.offset, query.limit);
    let active = match words(&query, "lifecycleStatus", ProductOffering::read_status) {
        None => None,
        Some(statuses) => match (statuses.contains(&true), statuses.contains(&false)) {
            (true, true) => None,
            // No word that an offering here can have: an empty list, with the counts that go with it.
            (false, false) => return Ok(page::<ProductOffering>(&[], 0, &query)),
            (active, _) => Some(active),
        },
    };
    let read = platform.store.read(move |view| view.platform().list_offerings(active, offset, limit));
    let (offerings, total) = read.await.map_err(|error: StoreError| Refusal::from(error))?;
    let offerings: Vec<_> = offerings
        .iter()
        .map(|(offering, provider)| ProductOffering::from_domain(offering, provider))
        .collect();
    Ok(page(&offerings, total, &query))
}
