//! `DELETE /v1/subscriptions/{id}/share`

use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::SubscriptionId;
use edge::{Caller, Path, Problem};
use store::Tx;
use store::audit::{AuditAction, AuditEntry};

use crate::Exchange;
use crate::problem::{Refused, still_signed_in};

/// Takes a share back: once this is answered, nobody sees it. There being none is as good.
#[utoipa::path(delete, path = "/v1/subscriptions/{id}/share", operation_id = "unshare", security(("token" = [])),
    params(("id" = String, Path, format = "uuid", description = "The subscription's id.")),
    responses((status = 204)))]
pub async fn take_back(
    State(exchange): State<Exchange>,
    caller: Caller,
    Path(id): Path<SubscriptionId>,
) -> Result<StatusCode, Problem> {
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        still_signed_in(tx, &caller)?;
        let held = tx.exchange().find_subscription(caller.key, id)?.ok_or_else(Problem::not_found)?;
        if tx.exchange().unshare(id)? {
            let entry =
                AuditEntry::by(caller.key, AuditAction::Unshared).with("offering", held.offering.as_str());
            tx.audit().append(&entry)?;
        }
        Ok(())
    };
    exchange.store.write(write).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}
