//! Inbound texts: stored before the centre is told that they were taken.

use domain::Msisdn;
use domain::ids::TextId;
use domain::key::ContactKey;
use domain::limits;
use domain::world::after_seconds;
use jiff::Timestamp;

use super::{TextsTx, TextsView};
use crate::error::StoreError;
use crate::keys::Purpose;
use crate::people::{open_number, seal_number};
use crate::sql::params;

/// How long the same words from the same phone to the same address count as a copy, in seconds: a
/// centre that missed an acknowledgement delivers again within minutes.
pub const COPY_WINDOW_S: i64 = 600;

/// A text as it came from the centre.
#[derive(Clone)]
pub struct NewInbound {
    /// The id it gets.
    pub id: TextId,
    /// Which connection it came over.
    pub account: String,
    /// From whom.
    pub from: Msisdn,
    /// To which of our addresses.
    pub destination: String,
    /// What it says.
    pub body: String,
}

/// A stored inbound text.
#[derive(Clone)]
pub struct InboundText {
    /// Its id.
    pub id: TextId,
    /// Who sent it.
    pub key: ContactKey,
    /// From whom.
    pub from: Msisdn,
    /// To which of our addresses.
    pub destination: String,
    /// What it says.
    pub body: String,
    /// When it came.
    pub received: Timestamp,
}

/// What a centre delivered and nobody can read.
#[derive(Clone)]
pub struct Unread {
    /// The id it gets.
    pub id: TextId,
    /// Which connection it came over.
    pub account: String,
    /// All of it.
    pub octets: Vec<u8>,
}

impl TextsTx<'_> {
    /// Keeps what cannot be read, sealed; `false` when so much of that is kept already that no more is.
    ///
    /// # Errors
    /// The store's.
    pub fn keep_unread(&mut self, unread: &Unread) -> Result<bool, StoreError> {
        let count = self.view.sql.query_one("SELECT COUNT(*) FROM inbox_unread", &[])?;
        if count.map_or(Ok(0), |row| row.int(0))? >= limits::INBOX_UNREAD_MAX {
            return Ok(false);
        }
        let (keys, world, id) = (self.view.keys, self.world, unread.id.0);
        let octets = keys.seal(world, Purpose::Body, id.as_bytes(), &unread.octets);
        self.view.sql.execute(
            "INSERT INTO inbox_unread (id, account, octets, received) VALUES ($1, $2, $3, $4)",
            params![id, unread.account.as_str(), octets, world.now()],
        )?;
        Ok(true)
    }

    /// Stores an inbound text; `false` when it is a copy of one that came over the same connection
    /// less than [`COPY_WINDOW_S`] ago.
    ///
    /// # Errors
    /// The store's.
    pub fn receive(&mut self, text: &NewInbound) -> Result<bool, StoreError> {
        let (keys, world) = (self.view.keys, self.world);
        let now = world.now();
        let window = now.as_second().div_euclid(COPY_WINDOW_S);
        let fingerprint = |window: i64| {
            let number = text.from.digits().to_be_bytes();
            let parts: [&[u8]; 5] = [
                text.account.as_bytes(),
                &number,
                text.destination.as_bytes(),
                text.body.as_bytes(),
                &window.to_be_bytes(),
            ];
            keys.hash("inbound text", &parts)
        };
        // Windows stand still, so a copy may come just after the first's window has closed.
        let copied = self.view.sql.query_one(
            "SELECT received FROM inbox WHERE fingerprint = $1 AND received > $2",
            params![fingerprint(window - 1).as_slice(), after_seconds(now, -COPY_WINDOW_S)],
        )?;
        if copied.is_some() {
            return Ok(false);
        }
        let body = keys.seal(world, Purpose::Body, text.id.0.as_bytes(), text.body.as_bytes());
        let stored = self.view.sql.execute(
            "INSERT INTO inbox (id, fingerprint, key, number, destination, body, received)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (fingerprint) DO NOTHING",
            params![
                text.id.0,
                fingerprint(window).as_slice(),
                keys.contact_key(text.from),
                seal_number(keys, world, text.from),
                text.destination.as_str(),
                body,
                now,
            ],
        )?;
        Ok(stored == 1)
    }

    /// Forgets what nobody can read where a number stands in it.
    pub(super) fn forget_unread(&mut self, key: ContactKey) -> Result<(), StoreError> {
        let Ok(number) = self.view.keys.number_of(key) else { return Ok(()) };
        let digits = number.digits().to_string();
        // Phones are named with and without their country code; its last eight digits tell a phone apart.
        let tail = digits.as_bytes().get(digits.len().saturating_sub(8)..).unwrap_or_default();
        for unread in self.view.list_unread(limits::count(limits::INBOX_UNREAD_MAX))? {
            if unread.octets.windows(tail.len()).any(|window| window == tail) {
                self.view.sql.execute("DELETE FROM inbox_unread WHERE id = $1", params![unread.id.0])?;
            }
        }
        Ok(())
    }

    /// Wipes the body of an inbound text that has been acted on.
    ///
    /// # Errors
    /// The store's.
    pub fn wipe_inbound(&mut self, id: TextId) -> Result<(), StoreError> {
        self.view.sql.execute("UPDATE inbox SET body = NULL WHERE id = $1", params![id.0])?;
        Ok(())
    }
}

impl TextsView<'_> {
    /// What could not be read, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub fn list_unread(&mut self, count: usize) -> Result<Vec<Unread>, StoreError> {
        let rows = self.sql.query(
            "SELECT id, account, octets FROM inbox_unread ORDER BY received DESC, id LIMIT $1",
            params![count],
        )?;
        rows.iter()
            .map(|row| {
                let id = row.uuid(0)?;
                let octets = self.keys.open(Purpose::Body, id.as_bytes(), row.blob(2)?)?;
                Ok(Unread { id: TextId(id), account: row.text(1)?.to_owned(), octets })
            })
            .collect()
    }

    /// The texts of one phone that came until a moment and have not been acted on, the oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn list_waiting_inbound(
        &mut self,
        key: ContactKey,
        until: Timestamp,
    ) -> Result<Vec<InboundText>, StoreError> {
        let rows = self.sql.query(
            "SELECT id FROM inbox WHERE key = $1 AND body IS NOT NULL AND received <= $2 ORDER BY received, id",
            params![key, until],
        )?;
        let mut waiting = Vec::new();
        for row in &rows {
            waiting.extend(self.find_inbound(TextId(row.uuid(0)?))?);
        }
        Ok(waiting)
    }

    /// An inbound text that has not been acted on.
    ///
    /// # Errors
    /// The store's.
    pub fn find_inbound(&mut self, id: TextId) -> Result<Option<InboundText>, StoreError> {
        let row = self.sql.query_one(
            "SELECT key, number, destination, body, received FROM inbox WHERE id = $1 AND body IS NOT NULL",
            params![id.0],
        )?;
        let Some(row) = row else { return Ok(None) };
        let body = self.keys.open(Purpose::Body, id.0.as_bytes(), row.blob(3)?)?;
        let key = row.key(0)?;
        Ok(Some(InboundText {
            id,
            key,
            from: open_number(self.keys, key, row.blob(1)?)?,
            destination: row.text(2)?.to_owned(),
            body: String::from_utf8(body).map_err(|_| StoreError::damaged("a body that is not text"))?,
            received: row.time(4)?,
        }))
    }
}
