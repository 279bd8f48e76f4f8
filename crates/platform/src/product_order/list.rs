//! GET productOrder.

use axum::extract::State;
use domain::order::OrderState;
use store::platform::OrderFilter;
use tmf::query::resources::PRODUCT_ORDER;

use crate::Platform;
use crate::lists::{Page, Pairs, keys, read_customer, read_query};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn list(State(platform): State<Platform>, pairs: Pairs) -> Result<Page, Refusal> {
    let mut query = read_query(pairs, &PRODUCT_ORDER)?;
    let external_ids = query.take_each("externalId", |id| Some(id.to_owned()));
    // Other strings than numbers stand in an order as well; whoever asks for one looks through them.
    let numbers = query.take_each("relatedParty.id", read_customer);
    let states = query.take_known("state", |word| OrderState::parse(word.trim()));
    let read = platform.store.read(move |view| {
        let mut platform = view.platform();
        let customers = keys(&platform, numbers.as_deref());
        let (external_ids, states) = (external_ids.clone(), states.clone());
        let filter = OrderFilter { external_ids, customers, states, shown: true };
        Page::fetch(&query, |offset, limit| {
            let (rows, total) = platform.list_orders(&filter, offset, limit)?;
            Ok((rows.iter().map(wire::order).collect(), total))
        })
    });
    read.await
}
