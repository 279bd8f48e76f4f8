//! `PUT /v1/subscriptions/{id}/share`

use api::Code;
use api::subscriptions::{Audience, SetShare, Share};
use axum::extract::State;
use domain::consent::Consent;
use domain::funnel::FunnelStep;
use domain::ids::SubscriptionId;
use domain::{consent, limits, number};
use edge::{Caller, Json, Path, Problem};
use serde_json::{Value, json};
use store::audit::{AuditAction, AuditEntry};
use store::exchange::EventKind;
use store::{FunnelEvent, Tx};

use crate::Exchange;
use crate::problem::{Refused, still_signed_in};

/// Shares a subscription with every match, or with named ones among them.
///
/// Naming somebody who does not match is answered like naming somebody who does, whoever they are: it
/// shows them nothing while they do not match, and the service as soon as they do, also again.
#[utoipa::path(put, path = "/v1/subscriptions/{id}/share", operation_id = "share",
    request_body = SetShare, security(("token" = [])),
    params(("id" = String, Path, format = "uuid", description = "The subscription's id.")),
    responses((status = 200, body = Share, links(("unshare" = (operation_id = "unshare",
        parameters(("id" = "$response.body#/subscription")))))),
        (status = 409, description = "The service cannot be shared")))]
pub async fn set(
    State(exchange): State<Exchange>,
    caller: Caller,
    Path(id): Path<SubscriptionId>,
    Json(body): Json<SetShare>,
) -> Result<axum::Json<Share>, Problem> {
    let (audience, shown) = exchange.read_audience(&body.audience)?;
    let write = move |tx: &mut Tx<'_>| -> Result<_, Refused> {
        still_signed_in(tx, &caller)?;
        if !tx.contacts().has_consent(caller.key, Consent::Subscriptions)? {
            let detail = "Give the consent \"subscriptions\" first: PUT /v1/consents/subscriptions.";
            return Err(Problem::new(Code::ConsentSubscriptionsMissing, detail).into());
        }
        let held = tx.exchange().find_subscription(caller.key, id)?.ok_or_else(Problem::not_found)?;
        if !held.is_shareable() {
            let detail =
                "This service cannot be shared: it is not active, or is of a kind that is never shown.";
            return Err(Problem::new(Code::ShareNotShareable, detail).into());
        }
        let before = tx.exchange().list_viewers(id)?;
        let (share, fresh) = tx.exchange().share(caller.key, id, &audience)?;
        let named = match &audience {
            consent::Audience::Matches => Value::from("matches"),
            consent::Audience::Only(friends) => friends.len().into(),
        };
        let entry = AuditEntry::by(caller.key, AuditAction::Shared)
            .with("offering", held.offering.as_str())
            .with("audience", named);
        tx.audit().append(&entry)?;
        if fresh {
            tx.funnel().record(&FunnelEvent {
                step: FunnelStep::Shared,
                offering: Some(held.offering.clone()),
                person: Some(caller.key),
                friend: None,
                cause: Some(share.to_string()),
            })?;
        }
        // Whoever saw it before is told nothing.
        for viewer in tx.exchange().list_viewers(id)?.into_iter().filter(|one| !before.contains(one)) {
            let data = json!({ "share": share });
            tx.exchange().append_event(viewer, EventKind::Share, Some(caller.key), &data)?;
        }
        Ok(tx.exchange().find_share(id)?.ok_or_else(Problem::not_found)?.0)
    };
    let since = exchange.store.write(write).await.map_err(Problem::from)?;
    Ok(axum::Json(Share { subscription: id, audience: shown, since }))
}

impl Exchange {
    /// The audience as it is kept, and as it is shown: numbers come in any reading and go out as E.164.
    fn read_audience(&self, audience: &Audience) -> Result<(consent::Audience, Audience), Problem> {
        let Audience::Only(numbers) = audience else {
            return Ok((consent::Audience::Matches, Audience::Matches));
        };
        if numbers.len() > limits::count(limits::AUDIENCE_NAMED_MAX) {
            let detail =
                format!("Name {} people at most, or share with all matches.", limits::AUDIENCE_NAMED_MAX);
            return Err(Problem::new(Code::RequestInvalid, detail));
        }
        let mut faults = Problem::new(Code::RequestInvalid, "Some of the named numbers cannot be read.");
        let (mut friends, mut shown, mut faulty) = (Vec::new(), Vec::new(), false);
        for (index, raw) in numbers.iter().enumerate() {
            match number::read_own(raw, self.region) {
                Ok(number) => {
                    friends.push(self.store.keys().contact_key(number));
                    shown.push(number.e164());
                }
                Err(refusal) => {
                    faulty = true;
                    faults = faults.field(format!("audience.only[{index}]"), refusal.hint());
                }
            }
        }
        if faulty { Err(faults) } else { Ok((consent::Audience::Only(friends), Audience::Only(shown))) }
    }
}
