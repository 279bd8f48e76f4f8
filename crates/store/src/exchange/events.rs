//! Each subscriber's event stream: durable, numbered, resumable.

use domain::Msisdn;
use domain::key::ContactKey;
use domain::limits;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::{ExchangeTx, ExchangeView};
use crate::error::{Kind, StoreError};
use crate::people::open_number;
use crate::sql::{Row, params};

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// An order of one's own changed.
    Order,
    /// Somebody matches now.
    Match,
    /// A match shared a service.
    Share,
}

impl EventKind {
    /// The word used outside.
    pub fn word(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Match => "match",
            Self::Share => "share",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Order, Self::Match, Self::Share].into_iter().find(|kind| kind.word() == word)
    }
}

/// One event of a stream.
#[derive(Debug, Clone)]
pub struct StreamEvent {
    /// Its place in the stream, from 1.
    pub seq: i64,
    /// What it is about.
    pub kind: EventKind,
    /// The number of whom it is about, while they are a visible match.
    pub friend: Option<Msisdn>,
    /// More about it, as ids.
    pub data: Json,
    /// When it happened.
    pub at: Timestamp,
}

impl ExchangeTx<'_> {
    /// Appends to a person's stream, and lets its oldest events go when there are too many.
    ///
    /// # Errors
    /// The store's.
    pub fn append_event(
        &mut self,
        owner: ContactKey,
        kind: EventKind,
        friend: Option<ContactKey>,
        data: &Json,
    ) -> Result<(), StoreError> {
        let last = self.view.last_event(owner)?;
        self.view.sql.execute(
            "INSERT INTO event (owner, seq, kind, friend, data, at) VALUES ($1, $2, $3, $4, $5, $6)",
            params![owner, last + 1, kind.word(), friend, data.to_string(), self.world.now()],
        )?;
        self.view.sql.execute(
            "DELETE FROM event WHERE owner = $1 AND seq <= $2",
            params![owner, last + 1 - limits::EVENTS_KEPT_MAX],
        )?;
        self.effects.events.push(owner);
        Ok(())
    }
}

impl ExchangeView<'_> {
    /// The events of a stream after a place. One about somebody who is no visible match any more is
    /// left out.
    ///
    /// # Errors
    /// The store's.
    pub fn list_events(
        &mut self,
        owner: ContactKey,
        after: i64,
        count: usize,
    ) -> Result<Vec<StreamEvent>, StoreError> {
        let rows = self.sql.query(
            "SELECT e.seq, e.kind, e.friend, p.number, e.data, e.at FROM event e
             LEFT JOIN matched m ON m.owner = e.owner AND m.friend = e.friend
               AND NOT EXISTS (SELECT 1 FROM hidden h WHERE h.owner = m.owner AND h.hidden = m.friend)
               AND NOT EXISTS (SELECT 1 FROM hidden h WHERE h.owner = m.friend AND h.hidden = m.owner)
             LEFT JOIN subscriber p ON p.key = m.friend
             WHERE e.owner = $1 AND e.seq > $2 AND (e.friend IS NULL OR p.key IS NOT NULL)
             ORDER BY e.seq LIMIT $3",
            params![owner, after, count],
        )?;
        rows.iter().map(|row| self.read_event(row)).collect()
    }

    /// The place of the newest event; 0 when there is none.
    ///
    /// # Errors
    /// The store's.
    pub fn last_event(&mut self, owner: ContactKey) -> Result<i64, StoreError> {
        let row =
            self.sql.query_one("SELECT COALESCE(MAX(seq), 0) FROM event WHERE owner = $1", params![owner])?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    fn read_event(&self, row: &Row) -> Result<StreamEvent, StoreError> {
        let number = |sealed: &[u8]| open_number(self.keys, row.key(2)?, sealed);
        Ok(StreamEvent {
            seq: row.int(0)?,
            kind: EventKind::parse(row.text(1)?)
                .ok_or_else(|| StoreError::damaged("an event of no known kind"))?,
            friend: row.opt_blob(3)?.map(number).transpose()?,
            data: serde_json::from_str(row.text(4)?)
                .map_err(|error| StoreError::new(Kind::Damaged, error))?,
            at: row.time(5)?,
        })
    }
}
