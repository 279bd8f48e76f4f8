//! Listeners, and what each has not yet been told.

use domain::ids::{HubEventId, HubId};

use super::{PlatformTx, PlatformView};
use crate::error::StoreError;
use crate::keys::{Keys, Purpose};
use crate::sql::{Row, Value, params};

/// Somebody who is told of events.
#[derive(Clone, PartialEq, Eq)]
pub struct HubListenerRow {
    /// The id.
    pub id: HubId,
    /// At which interface's hub: its base path.
    pub interface: String,
    /// Where events are posted; sealed at rest.
    pub callback: String,
    /// Which events; empty for all.
    pub query: String,
}

impl std::fmt::Debug for HubListenerRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubListenerRow").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One event that one listener has not been told.
#[derive(Debug, Clone)]
pub struct HubEventRow {
    /// Its place in the order.
    pub seq: i64,
    /// The event's id, the same for every listener.
    pub id: HubEventId,
    /// The event's type.
    pub kind: String,
    /// The envelope as it is posted; sealed at rest.
    pub body: Vec<u8>,
}

impl PlatformTx<'_> {
    /// Registers a listener; the same again is the one already there.
    ///
    /// # Errors
    /// The store's.
    pub fn put_listener(&mut self, listener: &HubListenerRow) -> Result<HubListenerRow, StoreError> {
        let (keys, now) = (self.view.keys, self.world.now());
        let HubListenerRow { id, interface, callback, query } = listener;
        let same = keys.hash("hub listener", &[callback.as_bytes(), query.as_bytes()]);
        let sealed = keys.seal(self.world, Purpose::HubCallback, id.0.as_bytes(), callback.as_bytes());
        self.view.sql.execute(
            "INSERT INTO hub_listener (id, interface, callback, query, same, created) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (interface, same) DO NOTHING",
            params![id.0, interface.as_str(), sealed, query.as_str(), same.as_slice(), now],
        )?;
        let row = self.view.sql.query_one(
            "SELECT id, interface, callback, query FROM hub_listener WHERE interface = $1 AND same = $2",
            params![interface.as_str(), same.as_slice()],
        )?;
        row.map_or_else(
            || Err(StoreError::damaged("a listener that was just written")),
            |row| read_listener(keys, &row),
        )
    }

    /// Ends a listener and forgets what it has not been told; `false` when there is no such one at this
    /// interface.
    ///
    /// # Errors
    /// The store's.
    pub fn remove_listener(&mut self, interface: &str, id: HubId) -> Result<bool, StoreError> {
        let removed = self
            .view
            .sql
            .execute("DELETE FROM hub_listener WHERE id = $1 AND interface = $2", params![id.0, interface])?;
        if removed == 1 {
            self.view.sql.execute("DELETE FROM hub_event WHERE listener = $1", params![id.0])?;
        }
        Ok(removed == 1)
    }

    /// Appends an event for a listener.
    ///
    /// # Errors
    /// The store's.
    pub fn append_hub_event(
        &mut self,
        listener: HubId,
        id: HubEventId,
        kind: &str,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let body = self.view.keys.seal(self.world, Purpose::HubEvent, id.0.as_bytes(), body);
        self.view.sql.execute(
            "INSERT INTO hub_event (listener, id, kind, body, at) VALUES ($1, $2, $3, $4, $5)",
            params![listener.0, id.0, kind, body, self.world.now()],
        )?;
        Ok(())
    }

    /// Forgets everything that a listener has not been told.
    ///
    /// # Errors
    /// The store's.
    pub fn drop_hub_events(&mut self, listener: HubId) -> Result<(), StoreError> {
        self.view.sql.execute("DELETE FROM hub_event WHERE listener = $1", params![listener.0])?;
        Ok(())
    }

    /// Forgets the events that a listener has been told.
    ///
    /// # Errors
    /// The store's.
    pub fn remove_hub_events(&mut self, listener: HubId, told: &[i64]) -> Result<(), StoreError> {
        self.view.sql.execute(
            "DELETE FROM hub_event WHERE listener = $1 AND seq {in $2}",
            params![listener.0, Value::Ints(told.to_vec())],
        )?;
        Ok(())
    }
}

impl PlatformView<'_> {
    /// How many events a listener has not been told.
    ///
    /// # Errors
    /// The store's.
    pub fn count_hub_events(&mut self, listener: HubId) -> Result<i64, StoreError> {
        let row =
            self.sql.query_one("SELECT COUNT(*) FROM hub_event WHERE listener = $1", params![listener.0])?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    /// The listeners at an interface's hub.
    ///
    /// # Errors
    /// The store's.
    pub fn list_listeners(&mut self, interface: &str) -> Result<Vec<HubListenerRow>, StoreError> {
        let rows = self.sql.query(
            "SELECT id, interface, callback, query FROM hub_listener WHERE interface = $1 ORDER BY id",
            params![interface],
        )?;
        rows.iter().map(|row| read_listener(self.keys, row)).collect()
    }

    /// A listener.
    ///
    /// # Errors
    /// The store's.
    pub fn find_listener(&mut self, id: HubId) -> Result<Option<HubListenerRow>, StoreError> {
        let row = self.sql.query_one(
            "SELECT id, interface, callback, query FROM hub_listener WHERE id = $1",
            params![id.0],
        )?;
        row.map(|row| read_listener(self.keys, &row)).transpose()
    }

    /// The next events that a listener has not been told, in order.
    ///
    /// # Errors
    /// The store's.
    pub fn list_hub_events(&mut self, listener: HubId, limit: usize) -> Result<Vec<HubEventRow>, StoreError> {
        let rows = self.sql.query(
            "SELECT seq, id, kind, body FROM hub_event WHERE listener = $1 ORDER BY seq LIMIT $2",
            params![listener.0, limit],
        )?;
        let mut events = Vec::new();
        for row in &rows {
            let id = row.uuid(1)?;
            events.push(HubEventRow {
                seq: row.int(0)?,
                id: HubEventId(id),
                kind: row.text(2)?.to_owned(),
                body: self.keys.open(Purpose::HubEvent, id.as_bytes(), row.blob(3)?)?,
            });
        }
        Ok(events)
    }
}

fn read_listener(keys: &Keys, row: &Row) -> Result<HubListenerRow, StoreError> {
    let id = HubId(row.uuid(0)?);
    let callback = keys.open(Purpose::HubCallback, id.0.as_bytes(), row.blob(2)?)?;
    Ok(HubListenerRow {
        id,
        interface: row.text(1)?.to_owned(),
        callback: String::from_utf8(callback)
            .map_err(|_| StoreError::damaged("a callback that is not text"))?,
        query: row.text(3)?.to_owned(),
    })
}
