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
            Some(TextState::Rejected | TextState::Undelivered | TextState::Expired) => {
                self.end_unanswered(order, Reason::TextUndeliverable)
            }
            // Nobody knows: it may still be accepted, until the time for that runs out.
            Some(TextState::Unknown | TextState::Queued | TextState::Sent) | None => Ok(()),
        }
    }

    /// Ends an order whose time has run out; answers when to look again if it has not.
    pub(crate) fn expire(&mut self, order: ProductOrderId) -> Result<Option<Timestamp>, Refusal> {
        let Some(confirmation) = self.open_confirmation(order)? else { return Ok(None) };
        let state = self.tx.texts().find_state(confirmation.text)?;
        let accepted = matches!(state, Some(TextState::Accepted | TextState::Delivered));
        let now = self.world.now();
        let (until, reason) = if confirmation.accepted.is_some() {
            (confirmation.deadline, Reason::ConfirmationTimeout)
        } else if accepted {
            // The job that tells of the acceptance is late.
            (self.start_limit(&confirmation)?, Reason::ConfirmationTimeout)
        } else {
            (confirmation.accept_by, Reason::TextUndeliverable)
        };
        if now < until {
            return Ok(Some(until));
        }
        self.end_unanswered(order, reason)?;
        Ok(None)
    }

    fn start_limit(&mut self, confirmation: &ConfirmationRow) -> Result<Timestamp, Refusal> {
        if confirmation.accepted.is_some() {
            return Ok(confirmation.deadline);
        }
        let now = self.world.now();
        let deadline = after_seconds(now, self.config.confirmation_time_limit_s);
        self.tx.platform().accept_confirmation(confirmation.order, now, deadline)?;
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
