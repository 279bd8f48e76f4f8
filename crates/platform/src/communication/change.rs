//! PATCH communicationMessage/{id}: changes what is written beside a message that an operator asked for.

use axum::extract::State;
use axum::response::Response;
use edge::operator::Operator;
use store::audit::{AuditAction, AuditEntry};
use store::{Kind, StoreError};
use tmf::CommunicationMessage;
use tmf::document::COMMUNICATION;
use uuid::Uuid;

use super::list::find;
use super::wire::Message;
use crate::Platform;
use crate::auth::actor;
use crate::lists::{Id, Patch, one, to_value};
use crate::refusal::Refusal;

/// What may be changed: what is said to whom has gone out.
const FREE: [&str; 4] = ["description", "logFlag", "priority", "subject"];

pub(crate) async fn change(
    State(platform): State<Platform>,
    operator: Operator,
    id: Id,
    patch: Patch,
) -> Result<Response, Refusal> {
    let id: Uuid = id.read()?;
    patch.check(&COMMUNICATION, "CommunicationMessage_Update")?;
    let (actor, sender) = (actor(&operator), platform.config.sender.clone());
    let message = platform
        .store
        .write(move |tx| {
            let message = tx.read(|view| find(view, id))?.ok_or_else(Refusal::not_found)?;
            let shown = to_value(&tx.read(|view| message.show(view, &sender))?);
            let (merged, changed) = patch.merge(&shown);
            if changed.is_empty() {
                return Ok(shown);
            }
            if changed.iter().any(|name| !FREE.contains(&name.as_str())) {
                return Err(Refusal::body(format!(
                    "of a message only these can be changed: {}",
                    FREE.join(", ")
                )));
            }
            let Message::Asked(row) = message else {
                return Err(Refusal::state("a text that the platform wrote itself cannot be changed"));
            };
            let request = row.request.and_then(|request| serde_json::from_slice(&request).ok());
            let kept: CommunicationMessage =
                request.ok_or_else(|| Refusal::state("of this message nothing is left to change"))?;
            let fault = |_| Refusal::body("a member has a value that it cannot have");
            let new: CommunicationMessage = serde_json::from_value(merged.clone()).map_err(fault)?;
            let CommunicationMessage { description, log_flag, priority, subject, .. } = new;
            let kept = CommunicationMessage { description, log_flag, priority, subject, ..kept };
            let kept = serde_json::to_vec(&kept).map_err(|error| StoreError::new(Kind::Internal, error))?;
            tx.texts().put_communication(id, &kept)?;
            let entry = AuditEntry::new(actor.clone(), AuditAction::MessageChanged);
            tx.audit().append(&entry.with("message", id.to_string()).with("members", changed.join(" ")))?;
            Ok::<_, Refusal>(merged)
        })
        .await?;
    Ok(one(&message, None))
}
