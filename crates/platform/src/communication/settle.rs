//! A text that an operator asked for is accepted, delivered, refused or lost: listeners hear how far the message is.

use store::texts::CommunicationRow;
use tmf::EventType;
use uuid::Uuid;

use super::wire::Message;
use crate::desk::Desk;
use crate::refusal::Refusal;

/// What marks a text's reference as a message's.
const MARK: &str = "message:";

/// The reference of the texts of a message.
pub(super) fn reference_of(message: Uuid) -> String {
    format!("{MARK}{message}")
}

/// Which message a text's reference names, if it names one.
pub(crate) fn message_of(reference: &str) -> Option<Uuid> {
    reference.strip_prefix(MARK)?.parse().ok()
}

impl Desk<'_, '_> {
    /// A text of a message is settled: tells the state that the message is in by now, once.
    pub(crate) fn message_settled(&mut self, id: Uuid) -> Result<(), Refusal> {
        let found = self.tx.texts().find_communication(id)?;
        let Some(row): Option<CommunicationRow> = found else { return Ok(()) };
        if self.tx.platform().is_withdrawn(id)? {
            return Ok(());
        }
        let sender = self.config.sender.clone();
        let message = self.tx.read(|view| Message::Asked(row).show(view, &sender))?;
        let state = message.state.as_deref().unwrap_or_default();
        if !self.tx.texts().note_told(id, state)? {
            return Ok(());
        }
        self.tell_message(EventType::CommunicationMessageStateChange, message)
    }
}
