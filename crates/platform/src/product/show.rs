//! GET product/{id}.

use axum::extract::State;
use axum::response::Response;
use domain::ids::ProductId;
use store::StoreError;
use store::platform::{PlatformView, ProductRow};

use crate::Platform;
use crate::lists::{Id, Pairs, one, read_fields};
use crate::refusal::Refusal;
use crate::wire;

pub(crate) async fn show(
    State(platform): State<Platform>,
    id: Id,
    pairs: Pairs,
) -> Result<Response, Refusal> {
    let fields = read_fields(pairs)?;
    let id: ProductId = id.read()?;
    let product = platform
        .store
        .read(move |view| {
            let mut platform = view.platform();
            let row = find(&mut platform, id)?;
            row.map(|row| wire::product(&mut platform, &row)).transpose()
        })
        .await
        .map_err(|error: StoreError| Refusal::from(error))?;
    Ok(one(&product.ok_or_else(Refusal::not_found)?, fields.as_deref()))
}

/// A product that the faces show.
pub(super) fn find(platform: &mut PlatformView<'_>, id: ProductId) -> Result<Option<ProductRow>, StoreError> {
    let product = platform.find_product(id)?;
    if product.is_some() && platform.is_withdrawn(id.0)? { Ok(None) } else { Ok(product) }
}
