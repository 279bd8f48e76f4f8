//! GET product.

use axum::extract::State;
use domain::catalogue::OfferingId;
use domain::order::ProductState;
use store::StoreError;
use store::platform::ProductFilter;
use tmf::query::resources::PRODUCT;

use crate::Platform;
use crate::lists::{Page, Pairs, keys, read_customer, read_query};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn list(State(platform): State<Platform>, pairs: Pairs) -> Result<Page, Refusal> {
    let mut query = read_query(pairs, &PRODUCT)?;
    let numbers = query.take_known("relatedParty.id", read_customer);
    let states = query.take_known("status", |word| ProductState::parse(word.trim()));
    let offerings = query.take_known("productOffering.id", |id| OfferingId::parse(id).ok());
    let read = platform.store.read(move |view| {
        let mut platform = view.platform();
        let customers = keys(&platform, numbers.as_deref());
        let (states, offerings) = (states.clone(), offerings.clone());
        let filter = ProductFilter { customers, states, offerings, shown: true };
        Page::fetch(&query, |offset, limit| {
            let (rows, total) = platform.list_products(&filter, offset, limit)?;
            let products: Result<Vec<_>, StoreError> =
                rows.iter().map(|row| wire::product(&mut platform, row)).collect();
            Ok((products?, total))
        })
    });
    read.await
}
