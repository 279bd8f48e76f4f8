//! GET product/{id}.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::ids::ProductId;
use store::StoreError;

use crate::Platform;
use crate::lists::{Pairs, one, read_fields};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn show(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    pairs: Pairs,
) -> Result<Response, Refusal> {
    let fields = read_fields(pairs)?;
    let id: ProductId = id.parse().map_err(|_| Refusal::not_found())?;
    let product = platform
        .store
        .read(move |view| {
            let mut platform = view.platform();
            let row = platform.find_product(id)?;
            row.map(|row| wire::product(&mut platform, &row)).transpose()
        })
        .await
        .map_err(|error: StoreError| Refusal::from(error))?;
    Ok(one(&product.ok_or_else(Refusal::not_found)?, fields.as_deref()))
}
