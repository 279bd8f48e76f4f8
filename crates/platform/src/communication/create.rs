//! POST communicationMessage: has a text sent, by the outbox that sends all others.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use domain::ids::TextId;
use domain::limits;
use domain::world::after_seconds;
use edge::operator::Operator;
use store::audit::{AuditAction, AuditEntry};
use store::texts::{CommunicationRow, NewText, TextPurpose};
use store::{Kind, StoreError};
use tmf::{CommunicationMessage, CommunicationMessageCreate, EventType};

use super::settle::reference_of;
use super::wire::Message;
use crate::Platform;
use crate::auth::actor;
use crate::desk::Desk;
use crate::lists::{Body, created};
use crate::refusal::Refusal;

/// How long a text that cannot go out at once is worth sending.
const LIFE_S: i64 = 86_400;

pub(crate) async fn create(
    State(platform): State<Platform>,
    operator: Operator,
    Body(CommunicationMessageCreate(asked)): Body<CommunicationMessageCreate>,
) -> Result<Response, Refusal> {
    let content = asked.content.clone().unwrap_or_default();
    if content.chars().count() > limits::count(limits::TEXT_CHARS_MAX) {
        return Err(Refusal::body(format!(
            "content must have {} characters at most",
            limits::TEXT_CHARS_MAX
        )));
    }
    if asked.receiver.len() > limits::count(limits::MESSAGE_RECEIVERS_MAX) {
        let most = limits::MESSAGE_RECEIVERS_MAX;
        return Err(Refusal::body(format!("receiver must hold {most} at most")));
    }
    // Any other kind of message is taken, and fails: nothing here sends it.
    let sms = asked.message_type.as_deref().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("sms"));
    let sendable = sms && !content.trim().is_empty();
    let mut numbers = BTreeSet::new();
    let places = asked.receiver.iter().enumerate();
    let to: Vec<_> = places
        .filter_map(|(place, receiver)| Some((place, receiver.number().filter(|_| sendable)?)))
        .filter(|(_, number)| numbers.insert(number.e164()))
        .collect();
    let kept = CommunicationMessage { state: None, send_time: None, send_time_complete: None, ..asked };
    let request = serde_json::to_vec(&kept).map_err(|error| StoreError::new(Kind::Internal, error))?;
    let (store, world, actor) = (platform.store.clone(), platform.world.clone(), actor(&operator));
    let sender = platform.config.sender.clone();
    let message = store
        .write(move |tx| {
            let (id, now) = (world.uuid(), world.now());
            tx.texts().put_communication(id, &request)?;
            for (place, number) in &to {
                let text = NewText {
                    id: TextId(world.uuid()),
                    purpose: TextPurpose::Notice,
                    to: *number,
                    suffix: String::new(),
                    body: content.clone(),
                    not_after: after_seconds(now, LIFE_S),
                    reference: Some(reference_of(id)),
                };
                tx.texts().enqueue(&text)?;
                tx.texts().join_communication(id, text.id, *place)?;
            }
            let entry = AuditEntry::new(actor.clone(), AuditAction::MessageSent);
            tx.audit().append(&entry.with("message", id.to_string()).with("texts", to.len()))?;
            let row = CommunicationRow { id, request: Some(request.clone()), created: now };
            let message = tx.read(|view| Message::Asked(row).show(view, &sender))?;
            tx.texts().note_told(id, message.state.as_deref().unwrap_or_default())?;
            let kind = EventType::CommunicationMessageCreate;
            Desk::new(tx, &platform).tell_message(kind, message.clone())?;
            Ok::<_, Refusal>(message)
        })
        .await?;
    Ok(created(&message, message.href.as_deref().unwrap_or_default()))
}
