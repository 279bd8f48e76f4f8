//! Texts in the words of the document.

use domain::ids::ProductOrderId;
use store::texts::{CommunicationRow, TextPurpose, TextRow, TextState};
use store::{StoreError, View};
use tmf::{CommunicationMessage, MessageState, Receiver, Sender};

/// What stands for a code that may not be shown.
const MASK: &str = "****";

/// A message of either kind, as it stands now.
pub(super) enum Message {
    /// An operator asked for it.
    Asked(CommunicationRow),
    /// Everything else that was sent.
    Text(TextRow),
}

impl Message {
    pub(super) fn show(&self, view: &mut View<'_>, sender: &str) -> Result<CommunicationMessage, StoreError> {
        match self {
            Self::Asked(row) => asked(view, row),
            Self::Text(row) => text(view, row, sender),
        }
    }
}

/// A text of our own.
fn text(view: &mut View<'_>, row: &TextRow, sender: &str) -> Result<CommunicationMessage, StoreError> {
    let id = row.id.to_string();
    let named =
        |name: &str, value: &str| serde_json::json!({"name": name, "valueType": "string", "value": value});
    Ok(CommunicationMessage {
        href: Some(CommunicationMessage::href_of(&id)),
        id,
        content: content(view, row)?,
        message_type: Some("SMS".to_owned()),
        log_flag: Some(true),
        send_time: row.sent,
        send_time_complete: row.accepted,
        characteristic: vec![named("purpose", row.purpose.word()), named("delivery", row.state.word())],
        receiver: vec![row.to.map(Receiver::of).unwrap_or_default()],
        sender: Some(Sender { phone_number: Some(sender.to_owned()), ..Sender::default() }),
        state: Some(state_of(row.state).word().to_owned()),
        type_name: Some("CommunicationMessage".to_owned()),
        ..CommunicationMessage::default()
    })
}

/// What a text says, as far as it may be shown: never a sign-in code, and a confirmation's once its order has ended.
fn content(view: &mut View<'_>, row: &TextRow) -> Result<Option<String>, StoreError> {
    let Some(body) = &row.body else { return Ok(None) };
    match row.purpose {
        TextPurpose::SignIn => Ok(None),
        TextPurpose::Receipt | TextPurpose::Notice => Ok(Some(body.clone())),
        TextPurpose::Confirmation => {
            let order: Option<ProductOrderId> = row.reference.as_deref().and_then(|id| id.parse().ok());
            let Some(order) = order else { return Ok(None) };
            let mut platform = view.platform();
            let ended = platform.find_order(order)?.is_none_or(|order| order.state.is_final());
            let confirmation = platform.find_confirmation(order)?;
            Ok(match confirmation {
                _ if ended => Some(body.clone()),
                Some(confirmation) => Some(body.replace(confirmation.code.expose(), MASK)),
                None => None,
            })
        }
    }
}

/// What an operator asked for, with where its texts stand.
fn asked(view: &mut View<'_>, row: &CommunicationRow) -> Result<CommunicationMessage, StoreError> {
    let id = row.id.to_string();
    let texts = view.texts().list_texts_of(row.id)?;
    // Of what names somebody who was erased there is nothing left but that it was.
    let request = row.request.as_deref().and_then(|request| serde_json::from_slice(request).ok());
    let request: CommunicationMessage = request.unwrap_or_default();
    let mut states: Vec<MessageState> = texts.iter().map(|text| state_of(text.state)).collect();
    let without_text = request.receiver.len().saturating_sub(texts.len());
    states.extend(std::iter::repeat_n(MessageState::Failed, without_text));
    Ok(CommunicationMessage {
        href: Some(CommunicationMessage::href_of(&id)),
        id,
        send_time: texts.iter().filter_map(|text| text.sent).min(),
        send_time_complete: texts.iter().filter_map(|text| text.accepted).max(),
        state: Some(MessageState::of_all(&states).word().to_owned()),
        type_name: Some("CommunicationMessage".to_owned()),
        ..request
    })
}

fn state_of(state: TextState) -> MessageState {
    match state {
        TextState::Queued => MessageState::Initial,
        TextState::Sent | TextState::Accepted => MessageState::InProgress,
        TextState::Delivered => MessageState::Completed,
        // Whether the phone has it nobody knows, and it is not sent again.
        TextState::Undelivered | TextState::Rejected | TextState::Unknown | TextState::Expired => {
            MessageState::Failed
        }
    }
}
