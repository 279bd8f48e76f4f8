//! What becomes of a confirmation without its answer: its text is settled, or its time runs out.

use domain::ids::ProductOrderId;
use domain::order::{OrderState, Reason};
use domain::world::after_seconds;
use jiff::Timestamp;
use store::jobs::JobKind;
use store::platform::{ConfirmationOutcome, ConfirmationRow};
use store::texts::TextState;

use super::Desk;
use super::ask::Waiting;
use crate::refusal::Refusal;

impl Desk<'_, '_> {
    /// The text of an order's confirmation is settled: the time limit starts, or the order ends.
    pub(crate) fn text_settled(&mut self, order: ProductOrderId) -> Result<(), Refusal> {
        let Some(confirmation) = self.open_confirmation(order)? else { return Ok(()) };
        match self.tx.texts().find_state(confirmation.text)? {
            Some(TextState::Accepted | TextState::Delivered) => {
                self.start_limit(&confirmation)?;
                Ok(())
            }
            Some(state @ (TextState::Rejected | TextState::Undelivered | TextState::Expired)) => {
                self.prove_undeliverable(order, state)?;
                self.end_unanswered(order, Reason::TextUndeliverable)
            }
            // Nobody knows: it may still be accepted, until the time for that runs out.
            Some(TextState::Unknown | TextState::Queued | TextState::Sent) | None => Ok(()),
        }
    }

    /// Ends an order whose time has run out; answers when to look again if it has not. What the person answered
    /// in time is read first, however late this is.
    pub(crate) fn expire(&mut self, order: ProductOrderId) -> Result<Option<Timestamp>, Refusal> {
        let Some(confirmation) = self.open_confirmation(order)? else { return Ok(None) };
        if let Some(until) = self.time_left(&confirmation)? {
            return Ok(Some(until));
        }
        let Some(confirmation) = self.open_confirmation(order)? else { return Ok(None) };
        for text in self.tx.texts().list_waiting_inbound(confirmation.customer, confirmation.deadline)? {
            self.read_text(&text)?;
            self.tx.texts().wipe_inbound(text.id)?;
        }
        let Some(confirmation) = self.open_confirmation(order)? else { return Ok(None) };
        let accepted = confirmation.accepted.is_some();
        let reason = if accepted { Reason::ConfirmationTimeout } else { Reason::TextUndeliverable };
        self.end_unanswered(order, reason)?;
        Ok(None)
    }

    /// Until when an order has time; `None` when that has run out.
    fn time_left(&mut self, confirmation: &ConfirmationRow) -> Result<Option<Timestamp>, Refusal> {
        let state = self.tx.texts().find_state(confirmation.text)?;
        let accepted = matches!(state, Some(TextState::Accepted | TextState::Delivered));
        let until = if confirmation.accepted.is_some() {
            confirmation.deadline
        } else if accepted {
            // The job that tells of the acceptance is late.
            self.start_limit(confirmation)?
        } else {
            confirmation.accept_by
        };
        Ok((self.world.now() < until).then_some(until))
    }

    /// Ends an order's confirmation, if it has one: its code is void, and nothing looks at its time any more.
    pub(super) fn close(
        &mut self,
        order: ProductOrderId,
        outcome: ConfirmationOutcome,
    ) -> Result<(), Refusal> {
        if self.tx.platform().close_confirmation(order, outcome)? {
            self.tx.jobs().drop_topic(JobKind::ExpireConfirmation, &order.to_string())?;
        }
        Ok(())
    }

    fn start_limit(&mut self, confirmation: &ConfirmationRow) -> Result<Timestamp, Refusal> {
        if confirmation.accepted.is_some() {
            return Ok(confirmation.deadline);
        }
        // When the centre took it, not when that came to be heard of here.
        let outline = self.tx.texts().find_outline(confirmation.text)?;
        let accepted = outline.and_then(|text| text.accepted).unwrap_or_else(|| self.world.now());
        let deadline = after_seconds(accepted, self.config.confirmation_time_limit_s);
        if self.tx.platform().accept_confirmation(confirmation.order, accepted, deadline)? {
            self.prove_accepted(confirmation, accepted)?;
        }
        let (topic, waiting) = (confirmation.order.to_string(), Waiting { order: confirmation.order });
        self.tx.jobs().enqueue_topic(JobKind::ExpireConfirmation, &topic, &waiting, deadline)?;
        Ok(deadline)
    }

    fn end_unanswered(&mut self, id: ProductOrderId, reason: Reason) -> Result<(), Refusal> {
        let order = self.tx.platform().find_order(id)?;
        match order.filter(|order| order.state == OrderState::Pending) {
            Some(mut order) => self.cancel(&mut order, reason),
            None => Ok(()),
        }
    }

    fn open_confirmation(&mut self, order: ProductOrderId) -> Result<Option<ConfirmationRow>, Refusal> {
        let row = self.tx.platform().find_confirmation(order)?;
        Ok(row.filter(|row| row.outcome == ConfirmationOutcome::Open))
    }
}
