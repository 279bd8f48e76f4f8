//! GET product: filters `relatedParty.id`, `status`, `productOffering.id`.

use axum::extract::State;
use axum::response::Response;
use domain::catalogue::OfferingId;
use domain::order::ProductState;
use store::StoreError;
use store::platform::ProductFilter;

use crate::Platform;
use crate::lists::{Pairs, customers, keys, page, read_query, words};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn list(State(platform): State<Platform>, pairs: Pairs) -> Result<Response, Refusal> {
    let query = read_query(pairs, &["relatedParty.id", "status", "productOffering.id"])?;
    let (offset, limit) = (query.offset, query.limit);
    let (numbers, states) =
        (customers(&query), words(&query, "status", |word| ProductState::parse(word.trim())));
    let offerings = words(&query, "productOffering.id", |id| OfferingId::parse(id).ok());
    let (products, total) = platform
        .store
        .read(move |view| {
            let mut platform = view.platform();
            let customers = keys(&platform, numbers.as_deref());
            let filter = ProductFilter { customers, states: states.clone(), offerings: offerings.clone() };
            let (rows, total) = platform.list_products(&filter, offset, limit)?;
            let products: Result<Vec<_>, StoreError> =
                rows.iter().map(|row| wire::product(&mut platform, row)).collect();
            Ok::<_, StoreError>((products?, total))
        })
        .await?;
    Ok(page(&products, total, &query))
}
