//! Each subscriber's event stream: durable, numbered, resumable.
//!
//! Nothing about one event shows in another. A number is made of the moment and, within its millisecond, of
//! what the event says, so that one about somebody who is no match any more leaves no gap and moves no
//! other; and how long an event is kept depends on the events about the same person alone.

use domain::Msisdn;
use domain::key::ContactKey;
use domain::limits;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::{ExchangeTx, ExchangeView};
use crate::error::{Kind, StoreError};
use crate::people::open_number;
use crate::sql::{Row, params};

/// Places of one millisecond: so many that two events of one hardly ever fall together.
const IN_A_MS: i64 = 1 << 20;
/// The first of them are for one's own orders, in the order of their changes.
const OWN_IN_A_MS: i64 = 1 << 12;
/// The last of them are for events that did fall together.
const SPARE_IN_A_MS: i64 = 1 << 12;
/// Whom an event is about when it is about an order of one's own. No key is negative.
const ABOUT_ONESELF: i64 = -2;
/// Whom an event is about when that person has left: the number in the stream must not be given out twice,
/// so the row stays until a newer one comes.
pub(super) const ABOUT_NOBODY: i64 = -1;

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
    /// Its place in the stream, above 0: the milliseconds of its moment, times [`IN_A_MS`], and a little more.
    /// Events of one millisecond stand in no order of time, but for those about orders.
    pub seq: i64,
    /// What it is about.
    pub kind: EventKind,
    /// The number of whom it is about.
    pub friend: Option<Msisdn>,
    /// More about it, as ids.
    pub data: Json,
    /// When it happened.
    pub at: Timestamp,
}

impl StreamEvent {
    /// The first place of a moment.
    pub fn first_place(at: Timestamp) -> i64 {
        at.as_millisecond() * IN_A_MS
    }

    /// The first place of the millisecond of a place.
    pub fn millisecond(place: i64) -> i64 {
        place - place.rem_euclid(IN_A_MS)
    }

    /// Whether a place is one of those for one's own orders.
    pub fn is_own(place: i64) -> bool {
        place.rem_euclid(IN_A_MS) < OWN_IN_A_MS
    }

    /// The moment of a place; `None` when there is no such moment.
    pub fn moment(place: i64) -> Option<Timestamp> {
        Timestamp::from_millisecond(place.div_euclid(IN_A_MS)).ok()
    }
}

impl ExchangeTx<'_> {
    /// Appends to a person's stream, and lets the oldest events about the same go when there are too many.
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
        let ((last, last_own), now) = (self.last_places(owner)?, self.world.now());
        // In no earlier millisecond than the last one, also when the clock was set back: whoever has read
        // that one looks at none before it. The read also tells the database of writes that cross.
        let millisecond = StreamEvent::first_place(now).max(StreamEvent::millisecond(last));
        let data = data.to_string();
        let mut seq = match friend {
            None => next_own_place(last_own, millisecond),
            Some(friend) => millisecond + self.place_within(owner, kind, friend, &data),
        };
        let friend_key = friend.map_or(ABOUT_ONESELF, about);
        while !self.insert_event(owner, seq, kind, friend_key, &data, now)? {
            seq += 1;
        }
        let kept = if friend.is_some() { limits::EVENTS_OF_FRIEND_KEPT_MAX } else { limits::EVENTS_KEPT_MAX };
        self.trim_events(owner, friend_key, kept)?;
        self.effects.events.push(owner);
        Ok(())
    }

    /// The place of the newest event, and of the newest about one's own orders; 0 where there is none.
    fn last_places(&mut self, owner: ContactKey) -> Result<(i64, i64), StoreError> {
        let row = self.view.sql.query_one(
            "SELECT COALESCE(MAX(seq), 0),
               (SELECT COALESCE(MAX(seq), 0) FROM event WHERE owner = $1 AND friend = $2)
             FROM event WHERE owner = $1",
            params![owner, ABOUT_ONESELF],
        )?;
        row.map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
    }

    /// The place within its millisecond of an event about somebody: it follows from what the event says.
    fn place_within(&self, owner: ContactKey, kind: EventKind, friend: ContactKey, data: &str) -> i64 {
        let (owner, friend) = (owner.value().to_le_bytes(), friend.value().to_le_bytes());
        let parts: [&[u8]; 4] = [&owner, &friend, kind.word().as_bytes(), data.as_bytes()];
        let hash = self.view.keys.hash("event place", &parts);
        let number = hash.iter().take(7).fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
        OWN_IN_A_MS + number % (IN_A_MS - OWN_IN_A_MS - SPARE_IN_A_MS)
    }

    /// Writes an event at a place; `false` when another one is there. The same one is there already when
    /// something was undone and done again within a millisecond.
    fn insert_event(
        &mut self,
        owner: ContactKey,
        seq: i64,
        kind: EventKind,
        friend: i64,
        data: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let inserted = self.view.sql.execute(
            "INSERT INTO event (owner, seq, kind, friend, data, at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (owner, seq) DO NOTHING",
            params![owner, seq, kind.word(), friend, data, at],
        )?;
        if inserted == 1 {
            return Ok(true);
        }
        let same = self.view.sql.query_one(
            "SELECT 1 FROM event WHERE owner = $1 AND seq = $2 AND kind = $3 AND friend = $4 AND data = $5",
            params![owner, seq, kind.word(), friend, data],
        )?;
        Ok(same.is_some())
    }

    /// Lets the oldest events about one thing go, and those about nobody.
    fn trim_events(&mut self, owner: ContactKey, friend: i64, kept: i64) -> Result<(), StoreError> {
        self.view.sql.execute(
            "DELETE FROM event WHERE owner = $1 AND (friend = $2 OR friend = $3 AND seq <= (
               SELECT seq FROM event WHERE owner = $1 AND friend = $3 ORDER BY seq DESC LIMIT 1 OFFSET $4))",
            params![owner, ABOUT_NOBODY, friend, kept],
        )?;
        Ok(())
    }
}

/// The next place among one's own orders' events.
fn next_own_place(last: i64, millisecond: i64) -> i64 {
    let next = millisecond.max(last + 1);
    let full = next.rem_euclid(IN_A_MS) >= OWN_IN_A_MS;
    if full { StreamEvent::millisecond(next) + IN_A_MS } else { next }
}

fn about(friend: ContactKey) -> i64 {
    friend.value().cast_signed()
}

impl ExchangeView<'_> {
    /// The events of a stream from a millisecond on, those about one's own orders after a place. One about somebody is shown while the match lasts that it
    /// fell into: not when it has ended, nor when another has begun since.
    ///
    /// # Errors
    /// The store's.
    pub fn list_events(
        &mut self,
        owner: ContactKey,
        from: i64,
        own_after: i64,
        count: usize,
    ) -> Result<Vec<StreamEvent>, StoreError> {
        let rows = self.sql.query(
            "SELECT e.seq, e.kind, e.friend, p.number, e.data, e.at FROM event e
             LEFT JOIN matched m ON m.owner = e.owner AND m.friend = e.friend AND m.since <= e.at
             LEFT JOIN subscriber p ON p.key = m.friend
             WHERE e.owner = $1 AND e.seq >= $2 AND (e.friend = -2 AND e.seq > $3 OR p.key IS NOT NULL)
             ORDER BY e.seq LIMIT $4",
            params![owner, from, own_after, count],
        )?;
        rows.iter().map(|row| self.read_event(row)).collect()
    }

    /// The places of a stream's newest millisecond, whatever is there; none when the stream is empty.
    ///
    /// # Errors
    /// The store's.
    pub fn newest_places(&mut self, owner: ContactKey) -> Result<Vec<i64>, StoreError> {
        let from = StreamEvent::millisecond(self.last_event(owner)?);
        let rows = self.sql.query(
            "SELECT seq FROM event WHERE owner = $1 AND seq >= $2 ORDER BY seq",
            params![owner, from],
        )?;
        rows.iter().map(|row| row.int(0)).collect()
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
