//! The customer takes a pending order back.

use domain::ids::ProductOrderId;
use domain::order::{OrderState, Reason};
use store::platform::CancellationRow;
use tmf::TaskState;

use super::Desk;
use crate::refusal::Refusal;

impl Desk<'_, '_> {
    /// Cancels a pending order; the same again is the cancellation already made. `None`: no such order.
    pub(crate) fn take_back(
        &mut self,
        id: ProductOrderId,
        why: Option<&str>,
    ) -> Result<Option<CancellationRow>, Refusal> {
        let Some(mut order) = self.tx.platform().find_order(id)? else { return Ok(None) };
        if let Some(done) = self.tx.platform().find_cancellation_of(id)? {
            return Ok(Some(done));
        }
        if order.state != OrderState::Pending {
            return Err(Refusal::state("only an order that waits for its confirmation can be cancelled"));
        }
        self.move_order(&mut order, OrderState::AssessingCancellation, None)?;
        self.move_order(&mut order, OrderState::PendingCancellation, None)?;
        self.cancel(&mut order, Reason::UserCancelled)?;
        let task = CancellationRow {
            id: self.world.uuid(),
            order: id,
            why: why.map(|why| why.chars().take(500).collect()),
            state: TaskState::Done.word().to_owned(),
            at: self.world.now(),
        };
        self.tx.platform().insert_cancellation(&task)?;
        Ok(Some(task))
    }
}
