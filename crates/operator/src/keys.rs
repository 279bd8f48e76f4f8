//! `POST /operator/v1/keys/rotate`

use axum::extract::State;
use axum::http::StatusCode;
use edge::operator::Operator;
use edge::{NoQuery, Problem};
use store::audit::Actor;

use crate::Operators;

/// Exchanges the master key in the key file while everything goes on; the token that the file gave is worth
/// nothing afterwards.
#[utoipa::path(post, path = "/operator/v1/keys/rotate", security(("operator" = [])),
    responses((status = 204), (status = "default", body = api::Problem)))]
pub(crate) async fn rotate(
    State(operators): State<Operators>,
    operator: Operator,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let actor = Actor::Operator(operator.name().to_owned());
    operators.store.rotate_master_key(actor).await.map_err(Problem::internal)?;
    Ok(StatusCode::NO_CONTENT)
}
