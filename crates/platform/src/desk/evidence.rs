//! Evidence of each confirmation is kept where it arises.

use domain::ids::ProductOrderId;
use domain::limits;
use store::StoreError;
use store::platform::{ConfirmationRow, Evidence, EvidenceKind};
use store::texts::{InboundText, TextState};

use super::Desk;

impl Desk<'_, '_> {
    /// The text that asked.
    pub(super) fn prove_asked(&mut self, order: ProductOrderId, body: &str) -> Result<(), StoreError> {
        let evidence = Evidence { kind: EvidenceKind::Asked, body: body.to_owned(), at: self.world.now() };
        self.tx.platform().put_evidence(order, &evidence)
    }

    /// That the centre took it, and as what.
    pub(super) fn prove_accepted(
        &mut self,
        confirmation: &ConfirmationRow,
        at: jiff::Timestamp,
    ) -> Result<(), StoreError> {
        let body = self.tx.texts().list_message_ids(confirmation.text)?.join(" ");
        let evidence = Evidence { kind: EvidenceKind::Accepted, body, at };
        self.tx.platform().put_evidence(confirmation.order, &evidence)
    }

    /// That it reached nobody.
    pub(super) fn prove_undeliverable(
        &mut self,
        order: ProductOrderId,
        state: TextState,
    ) -> Result<(), StoreError> {
        let (kind, body) = (EvidenceKind::Undeliverable, state.word().to_owned());
        self.tx.platform().put_evidence(order, &Evidence { kind, body, at: self.world.now() })
    }

    /// What was answered; of a very long answer its beginning.
    pub(super) fn prove_replied(
        &mut self,
        order: ProductOrderId,
        text: &InboundText,
    ) -> Result<(), StoreError> {
        let body = text.body.chars().take(limits::count(limits::TEXT_CHARS_MAX)).collect();
        let evidence = Evidence { kind: EvidenceKind::Replied, body, at: text.received };
        self.tx.platform().put_evidence(order, &evidence)
    }
}
