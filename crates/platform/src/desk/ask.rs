//! Asking for the second confirmation (M12): a code of its own, a sender of its own, a time limit.

use domain::catalogue::{Offering, Provider};
use domain::confirmation::ConfirmationCode;
use domain::funnel::FunnelStep;
use domain::ids::{ProductOrderId, TextId};
use domain::limits;
use domain::texts::{self, Confirmation};
use domain::world::after_seconds;
use serde::{Deserialize, Serialize};
use store::jobs::JobKind;
use store::platform::{ConfirmationOutcome, ConfirmationRow, Customer, OrderRow};

use super::Desk;
use crate::refusal::Refusal;

/// Which order a job about a confirmation is for.
#[derive(Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) order: ProductOrderId,
}

impl Desk<'_, '_> {
    /// Writes the confirmation of a pending order, its text, and the job that ends it.
    pub(crate) fn ask(
        &mut self,
        order: &OrderRow,
        customer: &Customer,
        offering: &Offering,
        provider: &Provider,
    ) -> Result<(), Refusal> {
        let now = self.world.now();
        let limit_s = self.config.confirmation_time_limit_s;
        // A code or suffix rests longer than the time limit after use: a late reply finds its own order.
        let recent = self.tx.platform().list_confirmations(customer.key, after_seconds(now, -2 * limit_s))?;
        let codes: Vec<_> = recent.iter().map(|row| row.code.clone()).collect();
        let confirmation = ConfirmationRow {
            order: order.id,
            customer: customer.key,
            code: ConfirmationCode::throw(self.world, &codes),
            suffix: free_suffix(&recent),
            text: TextId(self.world.uuid()),
            written: now,
            accept_by: after_seconds(now, limit_s.min(limits::CONFIRMATION_ACCEPT_S)),
            accepted: None,
            deadline: after_seconds(now, limit_s),
            attempts: 0,
            asked: false,
            outcome: ConfirmationOutcome::Open,
            closed: None,
        };
        self.tx.platform().insert_confirmation(&confirmation)?;
        let body = texts::confirmation(
            customer.locale,
            &Confirmation {
                offering,
                provider,
                code: &confirmation.code,
                until: confirmation.deadline,
                zone: &self.config.zone,
            },
        );
        self.prove_asked(order.id, &body)?;
        let ConfirmationRow { text, accept_by, ref suffix, .. } = confirmation;
        self.confirmation_text(text, customer, suffix, body, accept_by, order.id)?;
        let (topic, waiting) = (order.id.to_string(), Waiting { order: order.id });
        self.tx.jobs().enqueue_topic(JobKind::ExpireConfirmation, &topic, &waiting, accept_by)?;
        self.funnel(FunnelStep::Prompted, order)?;
        Ok(())
    }
}

/// Two digits that no open or recent confirmation of this phone uses, or else none that is open.
fn free_suffix(recent: &[ConfirmationRow]) -> String {
    let open = |row: &&ConfirmationRow| row.outcome == ConfirmationOutcome::Open;
    let unused = |suffix: &String| !recent.iter().any(|row| row.suffix == *suffix);
    let not_open = |suffix: &String| !recent.iter().filter(open).any(|row| row.suffix == *suffix);
    let all = || (10..100).map(|number: u8| number.to_string());
    // Fewer than 90 can be open (CONFIRMATIONS_OPEN_MAX), so the second search finds one.
    all().find(unused).or_else(|| all().find(not_open)).unwrap_or_default()
}
