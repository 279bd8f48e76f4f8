//! The steps from a share to a subscription; append-only.

use domain::catalogue::OfferingId;
use domain::funnel::FunnelStep;
use domain::key::ContactKey;
use jiff::Timestamp;

use crate::error::StoreError;
use crate::sql::params;
use crate::store::room;

room! {
    /// Reads the funnel.
    FunnelView,
    /// Appends to the funnel.
    FunnelTx
}

/// One step as it is written down.
#[derive(Debug, Clone)]
pub struct FunnelEvent {
    /// Which step.
    pub step: FunnelStep,
    /// What it is about.
    pub offering: Option<OfferingId>,
    /// Who acted.
    pub person: Option<ContactKey>,
    /// Whose share it follows from.
    pub friend: Option<ContactKey>,
    /// The share or order it follows from; an id, never a number.
    pub cause: Option<String>,
}

impl FunnelTx<'_> {
    /// Writes a step down, with the present moment.
    ///
    /// # Errors
    /// The store's.
    pub fn record(&mut self, event: &FunnelEvent) -> Result<(), StoreError> {
        let now = self.world.now();
        self.view.sql.execute(
            "INSERT INTO funnel (at, step, offering, person, friend, cause) VALUES ($1, $2, $3, $4, $5, $6)",
            params![
                now,
                event.step.word(),
                event.offering.as_ref().map(OfferingId::as_str),
                event.person,
                event.friend,
                event.cause.as_deref(),
            ],
        )?;
        Ok(())
    }
}

impl FunnelTx<'_> {
    /// Takes a person out of the steps that follow from a share or an order.
    ///
    /// # Errors
    /// The store's.
    pub fn unlink(&mut self, person: ContactKey, cause: &str) -> Result<(), StoreError> {
        self.view.sql.execute(
            "UPDATE funnel SET person = NULL WHERE person = $1 AND cause = $2",
            params![person, cause],
        )?;
        Ok(())
    }
}

impl FunnelView<'_> {
    /// Counts the steps of one kind since a moment.
    ///
    /// # Errors
    /// The store's.
    pub fn count(&mut self, step: FunnelStep, since: Timestamp) -> Result<i64, StoreError> {
        let row = self.sql.query_one(
            "SELECT COUNT(*) FROM funnel WHERE step = $1 AND at >= $2",
            params![step.word(), since],
        )?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    /// The newest steps that one person took: when, which, and what they were about.
    ///
    /// # Errors
    /// The store's.
    pub fn list_of_person(
        &mut self,
        person: ContactKey,
        count: usize,
    ) -> Result<Vec<(Timestamp, String, Option<String>)>, StoreError> {
        let rows = self.sql.query(
            "SELECT at, step, offering FROM funnel WHERE person = $1 ORDER BY id DESC LIMIT $2",
            params![person, count],
        )?;
        let read = |row: &crate::sql::Row| {
            Ok((row.time(0)?, row.text(1)?.to_owned(), row.opt_text(2)?.map(str::to_owned)))
        };
        rows.iter().map(read).collect()
    }
}
