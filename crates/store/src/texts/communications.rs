//! What an operator asked to be texted, and every text as the operator may see it.

use domain::Msisdn;
use domain::ids::TextId;
use domain::key::ContactKey;
use jiff::Timestamp;
use uuid::Uuid;

use super::outbox::read_purpose;
use super::{TextPurpose, TextState, TextsTx, TextsView};
use crate::error::StoreError;
use crate::keys::Purpose;
use crate::people::open_number;
use crate::sql::{Row, params};

/// What an operator asked to be texted.
#[derive(Clone)]
pub struct CommunicationRow {
    /// The id.
    pub id: Uuid,
    /// As it was asked; sealed at rest. `None`: somebody in it was erased.
    pub request: Option<Vec<u8>>,
    /// When.
    pub created: Timestamp,
}

/// A text with all that is kept of it.
#[derive(Clone)]
pub struct TextRow {
    /// The id.
    pub id: TextId,
    /// What it is for.
    pub purpose: TextPurpose,
    /// To whom; `None`: they were erased.
    pub to: Option<Msisdn>,
    /// What it says, until the centre has it.
    pub body: Option<String>,
    /// Where it stands.
    pub state: TextState,
    /// What waits for it.
    pub reference: Option<String>,
    /// When it was written.
    pub created: Timestamp,
    /// When it was sent last.
    pub sent: Option<Timestamp>,
    /// When the centre took it.
    pub accepted: Option<Timestamp>,
    /// Which receiver of an operator's request it is for.
    pub place: Option<usize>,
}

impl TextsTx<'_> {
    /// Writes down what an operator asked to be texted.
    ///
    /// # Errors
    /// The store's.
    pub fn put_communication(&mut self, id: Uuid, request: &[u8]) -> Result<(), StoreError> {
        let (sealed, now) =
            (self.view.keys.seal(self.world, Purpose::Body, id.as_bytes(), request), self.world.now());
        self.view.sql.execute(
            "INSERT INTO communication (id, request, created) VALUES ($1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET request = excluded.request",
            params![id, sealed, now],
        )?;
        Ok(())
    }

    /// Notes the state of it that listeners are told now; `false` when it is the one that they were told last.
    ///
    /// # Errors
    /// The store's.
    pub fn note_told(&mut self, id: Uuid, state: &str) -> Result<bool, StoreError> {
        let noted = self.view.sql.execute(
            "UPDATE communication SET state = $1 WHERE id = $2 AND (state IS NULL OR state <> $1)",
            params![state, id],
        )?;
        Ok(noted == 1)
    }

    /// Notes that a text came of it, for the receiver at a place.
    ///
    /// # Errors
    /// The store's.
    pub fn join_communication(&mut self, id: Uuid, text: TextId, place: usize) -> Result<(), StoreError> {
        self.view.sql.execute(
            "INSERT INTO communication_text (text, communication, place) VALUES ($1, $2, $3)",
            params![text.0, id, place],
        )?;
        Ok(())
    }

    /// Takes back a text that has not been sent; `false` when it has.
    ///
    /// # Errors
    /// The store's.
    pub fn take_back(&mut self, id: TextId) -> Result<bool, StoreError> {
        let taken = self.view.sql.execute(
            "UPDATE text SET state = 'expired', body = NULL WHERE id = $1 AND state = 'queued'",
            params![id.0],
        )?;
        Ok(taken == 1)
    }

    /// Forgets what was asked to be texted to a number; goes before the number itself is forgotten.
    pub(super) fn forget_communications(&mut self, key: ContactKey) -> Result<(), StoreError> {
        self.view.sql.execute(
            "UPDATE communication SET request = NULL WHERE id IN (
               SELECT c.communication FROM communication_text c JOIN text t ON t.id = c.text WHERE t.key = $1)",
            params![key],
        )?;
        Ok(())
    }
}

macro_rules! texts {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.purpose, t.key, t.number, t.body, t.state, t.reference, t.created, t.sent, t.accepted, c.place
             FROM text t LEFT JOIN communication_text c ON c.text = t.id ",
            $rest
        )
    };
}

impl TextsView<'_> {
    /// What an operator asked to be texted.
    ///
    /// # Errors
    /// The store's.
    pub fn find_communication(&mut self, id: Uuid) -> Result<Option<CommunicationRow>, StoreError> {
        let row = self
            .sql
            .query_one("SELECT id, request, created FROM communication WHERE id = $1", params![id])?;
        row.map(|row| self.read_communication(&row)).transpose()
    }

    /// A page of what operators asked to be texted and is still shown, the oldest first, with how many there are.
    ///
    /// # Errors
    /// The store's.
    pub fn list_communications(
        &mut self,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<CommunicationRow>, i64), StoreError> {
        let rows = self.sql.query(
            "SELECT id, request, created FROM communication WHERE id NOT IN (SELECT id FROM withdrawn)
             ORDER BY id LIMIT $1 OFFSET $2",
            params![limit, offset],
        )?;
        let total = self.sql.query_one(
            "SELECT COUNT(*) FROM communication WHERE id NOT IN (SELECT id FROM withdrawn)",
            &[],
        )?;
        let items = rows.iter().map(|row| self.read_communication(row)).collect::<Result<_, _>>()?;
        Ok((items, total.map_or(Ok(0), |row| row.int(0))?))
    }

    /// The texts that came of one.
    ///
    /// # Errors
    /// The store's.
    pub fn list_texts_of(&mut self, communication: Uuid) -> Result<Vec<TextRow>, StoreError> {
        let rows =
            self.sql.query(texts!("WHERE c.communication = $1 ORDER BY c.place"), params![communication])?;
        rows.iter().map(|row| self.read_text(row)).collect()
    }

    /// A text that no operator asked for.
    ///
    /// # Errors
    /// The store's.
    pub fn find_text(&mut self, id: TextId) -> Result<Option<TextRow>, StoreError> {
        let row = self.sql.query_one(texts!("WHERE t.id = $1 AND c.place IS NULL"), params![id.0])?;
        row.map(|row| self.read_text(&row)).transpose()
    }

    /// A page of the texts that no operator asked for and that are still shown, the oldest first, with how many
    /// there are.
    ///
    /// # Errors
    /// The store's.
    pub fn list_texts(&mut self, offset: usize, limit: usize) -> Result<(Vec<TextRow>, i64), StoreError> {
        let rows = self.sql.query(
            texts!(
                "WHERE c.place IS NULL AND t.id NOT IN (SELECT id FROM withdrawn) ORDER BY t.id LIMIT $1 OFFSET $2"
            ),
            params![limit, offset],
        )?;
        let total = self.sql.query_one(
            "SELECT COUNT(*) FROM text t LEFT JOIN communication_text c ON c.text = t.id
             WHERE c.place IS NULL AND t.id NOT IN (SELECT id FROM withdrawn)",
            &[],
        )?;
        let items = rows.iter().map(|row| self.read_text(row)).collect::<Result<_, _>>()?;
        Ok((items, total.map_or(Ok(0), |row| row.int(0))?))
    }

    fn read_communication(&self, row: &Row) -> Result<CommunicationRow, StoreError> {
        let id = row.uuid(0)?;
        let request = row.opt_blob(1)?;
        let request =
            request.map(|sealed| self.keys.open(Purpose::Body, id.as_bytes(), sealed)).transpose()?;
        Ok(CommunicationRow { id, request, created: row.time(2)? })
    }

    fn read_text(&self, row: &Row) -> Result<TextRow, StoreError> {
        let id = row.uuid(0)?;
        let body = row.opt_blob(4)?;
        let body = body.map(|sealed| self.keys.open(Purpose::Body, id.as_bytes(), sealed)).transpose()?;
        let body = body.map(String::from_utf8).transpose();
        // Of who was erased there is an empty number.
        let number = row.blob(3)?;
        let to = if number.is_empty() { None } else { Some(open_number(self.keys, row.key(2)?, number)?) };
        Ok(TextRow {
            id: TextId(id),
            purpose: read_purpose(row, 1)?,
            to,
            body: body.map_err(|_| StoreError::damaged("a body that is not text"))?,
            state: TextState::parse(row.text(5)?)
                .ok_or_else(|| StoreError::damaged("a text in no known state"))?,
            reference: row.opt_text(6)?.map(str::to_owned),
            created: row.time(7)?,
            sent: row.opt_time(8)?,
            accepted: row.opt_time(9)?,
            place: row.opt_int(10)?.and_then(|place| usize::try_from(place).ok()),
        })
    }
}
