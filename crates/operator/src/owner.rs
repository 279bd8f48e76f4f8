//! `POST /operator/v1/numbers/{number}/new-owner`

use axum::Json;
use axum::extract::State;
use edge::operator::Operator;
use edge::{NoQuery, Path, Problem};
use store::audit::Actor;
use store::{StoreError, Tx};

use crate::Operators;
use crate::closing::{Closed, close_for_new_owner};
use crate::problem::Refused;

/// Closes everything of a number's former owner, in one commit, before a new owner sees anything: the
/// account with its book, matches, shares, devices and orders, texts not yet sent, subscriptions, bars.
/// No text goes out. What others wrote about the number, hiding it for one, stays theirs.
#[utoipa::path(post, path = "/operator/v1/numbers/{number}/new-owner", security(("operator" = [])),
    params(("number" = String, Path, description = "The number, in any reading.")),
    responses((status = 200, body = Closed), (status = "default", body = api::Problem)))]
pub(crate) async fn new_owner(
    State(operators): State<Operators>,
    operator: Operator,
    Path(number): Path<String>,
    _: NoQuery,
) -> Result<Json<Closed>, Problem> {
    let key = operators.key(&number)?;
    let actor = Actor::Operator(operator.name().to_owned());
    let parts = operators.parts.clone();
    let write = move |tx: &mut Tx<'_>| close_for_new_owner(tx, &parts, key, &actor);
    let (closed, erasure) = operators.store.write(write).await.map_err(refused)?;
    operators.store.journal(&erasure).await.map_err(refused)?;
    Ok(Json(closed))
}

fn refused(error: StoreError) -> Problem {
    Refused::from(error).into()
}
