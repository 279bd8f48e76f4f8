//! GET productOffering.

use axum::extract::State;
use tmf::ProductOffering;
use tmf::query::resources::PRODUCT_OFFERING;

use crate::Platform;
use crate::lists::{Page, Pairs, read_query};
use crate::refusal::Refusal;

pub(crate) async fn list(State(platform): State<Platform>, pairs: Pairs) -> Result<Page, Refusal> {
    let query = read_query(pairs, &PRODUCT_OFFERING)?;
    let read = platform.store.read(move |view| {
        let mut platform = view.platform();
        Page::fetch(&query, |offset, limit| {
            let (rows, total) = platform.list_offerings(None, offset, limit)?;
            let shown =
                rows.iter().map(|(offering, provider)| ProductOffering::from_domain(offering, provider));
            Ok((shown.collect(), total))
        })
    });
    read.await
}
