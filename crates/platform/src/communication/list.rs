//! GET communicationMessage and communicationMessage/{id}.

use axum::extract::State;
use axum::response::Response;
use domain::ids::TextId;
use store::{StoreError, View};
use tmf::CommunicationMessage;
use tmf::query::resources::COMMUNICATION_MESSAGE;
use uuid::Uuid;

use super::wire::Message;
use crate::Platform;
use crate::lists::{Id, Page, Pairs, one, read_fields, read_query};
use crate::refusal::Refusal;

pub(crate) async fn list(State(platform): State<Platform>, pairs: Pairs) -> Result<Page, Refusal> {
    let query = read_query(pairs, &COMMUNICATION_MESSAGE)?;
    let sender = platform.config.sender.clone();
    let read = platform
        .store
        .read(move |view| Page::fetch(&query, |offset, limit| page(view, &sender, offset, limit)));
    read.await
}

/// What operators asked for comes first, then all other texts.
fn page(
    view: &mut View<'_>,
    sender: &str,
    offset: usize,
    limit: usize,
) -> Result<(Vec<CommunicationMessage>, i64), StoreError> {
    let (asked, of_operators) = view.texts().list_communications(offset, limit)?;
    let before = usize::try_from(of_operators).unwrap_or(0);
    let left = limit - asked.len();
    let (texts, of_others) = view.texts().list_texts(offset.saturating_sub(before), left)?;
    let mut messages: Vec<_> = asked.into_iter().map(Message::Asked).collect();
    messages.extend(texts.into_iter().map(Message::Text));
    let shown: Result<Vec<_>, _> = messages.iter().map(|message| message.show(view, sender)).collect();
    Ok((shown?, of_operators + of_others))
}

pub(crate) async fn show(
    State(platform): State<Platform>,
    id: Id,
    pairs: Pairs,
) -> Result<Response, Refusal> {
    let fields = read_fields(pairs)?;
    let id: Uuid = id.read()?;
    let sender = platform.config.sender.clone();
    let read = platform.store.read(move |view| {
        let message = find(view, id)?;
        message.map(|message| message.show(view, &sender)).transpose()
    });
    let message = read.await.map_err(|error: StoreError| Refusal::from(error))?;
    Ok(one(&message.ok_or_else(Refusal::not_found)?, fields.as_deref()))
}

/// A message that the face shows.
pub(super) fn find(view: &mut View<'_>, id: Uuid) -> Result<Option<Message>, StoreError> {
    if view.platform().is_withdrawn(id)? {
        return Ok(None);
    }
    if let Some(row) = view.texts().find_communication(id)? {
        return Ok(Some(Message::Asked(row)));
    }
    Ok(view.texts().find_text(TextId(id))?.map(Message::Text))
}
