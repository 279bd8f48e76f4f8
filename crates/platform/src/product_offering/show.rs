//! GET productOffering/{id}.

use axum::extract::State;
use axum::response::Response;
use domain::catalogue::OfferingId;
use tmf::ProductOffering;

use crate::Platform;
use crate::lists::{Id, Pairs, one, read_fields};
use crate::refusal::Refusal;

pub(crate) async fn show(
    State(platform): State<Platform>,
    Id(id): Id,
    pairs: Pairs,
) -> Result<Response, Refusal> {
    let fields = read_fields(pairs)?;
    let id = OfferingId::parse(&id).map_err(|_| Refusal::not_found())?;
    let found = platform.store.read(move |view| view.platform().find_offering(&id)).await?;
    let (offering, provider) = found.ok_or_else(Refusal::not_found)?;
    Ok(one(&ProductOffering::from_domain(&offering, &provider), fields.as_deref()))
}
