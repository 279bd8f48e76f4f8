//! DELETE communicationMessage/{id}: a message is shown no more; what of it has not been sent is not sent.

use axum::extract::State;
use domain::ids::TextId;
use edge::operator::Operator;
use store::audit::{AuditAction, AuditEntry};
use uuid::Uuid;

use super::list::find;
use super::wire::Message;
use crate::Platform;
use crate::auth::actor;
use crate::lists::{Gone, Id};
use crate::refusal::Refusal;

pub(crate) async fn remove(
    State(platform): State<Platform>,
    operator: Operator,
    id: Id,
) -> Result<Gone, Refusal> {
    let id: Uuid = id.read()?;
    let (store, actor) = (platform.store.clone(), actor(&operator));
    store
        .write(move |tx| {
            let texts: Vec<TextId> = match tx.read(|view| find(view, id))?.ok_or_else(Refusal::not_found)? {
                Message::Asked(row) => {
                    tx.texts().list_texts_of(row.id)?.into_iter().map(|text| text.id).collect()
                }
                // An order or a sign-in waits for it.
                Message::Text(row) if !row.state.is_settled() => {
                    return Err(Refusal::state("a text that the platform sends itself cannot be taken back"));
                }
                Message::Text(_) => Vec::new(),
            };
            let mut taken_back = 0;
            for text in texts {
                taken_back += usize::from(tx.texts().take_back(text)?);
            }
            tx.platform().withdraw(id)?;
            let entry = AuditEntry::new(actor.clone(), AuditAction::MessageWithdrawn);
            Ok(tx.audit().append(&entry.with("message", id.to_string()).with("taken_back", taken_back))?)
        })
        .await?;
    Ok(Gone)
}
