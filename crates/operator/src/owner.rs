//! `POST /operator/v1/numbers/{number}/new-owner`

use axum::Json;
use axum::extract::State;
use edge::operator::Operator;
use edge::{NoQuery, Path, Problem};
use serde::Serialize;
use store::Tx;
use store::audit::{Actor, AuditAction, AuditEntry};

use crate::Operators;
use crate::problem::Refused;

/// What of the former owner was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Closed {
    /// Whether there was an account.
    account: bool,
    /// Subscriptions that were live.
    subscriptions: usize,
    /// Orders that were open.
    orders: usize,
}

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
    let platform = operators.platform.clone();
    let write = move |tx: &mut Tx<'_>| -> Result<Closed, Refused> {
        let account = tx.contacts().find_subscriber(key)?.is_some();
        tx.exchange().erase_person(key)?;
        tx.contacts().erase_subscriber(key)?;
        let ended = platform.end_customer(tx, key, &actor)?;
        tx.texts().silence(key)?;
        let entry = AuditEntry::new(actor.clone(), AuditAction::NewOwner)
            .about(key)
            .with("account", account)
            .with("subscriptions", ended.subscriptions)
            .with("orders", ended.orders);
        tx.audit().append(&entry)?;
        // From here on the log says all this of nobody.
        tx.audit().unlink(key)?;
        Ok(Closed { account, subscriptions: ended.subscriptions, orders: ended.orders })
    };
    operators.store.write(write).await.map(Json).map_err(Problem::from)
}
