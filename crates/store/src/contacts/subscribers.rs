//! Registered people and their signed-in devices.

use domain::Msisdn;
use domain::ids::{RegistrationId, SessionId, SubscriberId};
use domain::key::ContactKey;
use domain::limits;
use domain::locale::Locale;
use domain::world::after_seconds;
use jiff::Timestamp;

use super::{ContactsTx, ContactsView};
use crate::error::StoreError;
use crate::keys::Purpose;
use crate::people::{open_number, seal_number};
use crate::sql::params;

/// A registered person.
#[derive(Debug, Clone)]
pub struct Subscriber {
    /// The id.
    pub id: SubscriberId,
    /// The key of the number.
    pub key: ContactKey,
    /// The number.
    pub number: Msisdn,
    /// The language to address the person in.
    pub locale: Locale,
    /// Registered since.
    pub since: Timestamp,
}

/// A device about to be signed in.
#[derive(Clone)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// The token it will show; kept only as a keyed hash.
    pub token: String,
    /// What the person calls the device.
    pub device: Option<String>,
}

/// What a number's account rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The account.
    pub id: SubscriberId,
    /// There since.
    pub since: Timestamp,
    /// When a code last proved that the number is its person's.
    pub proven: Timestamp,
}

/// A sign-in that was held so many times the longest hold ago is no part of this outage.
const HOLDS_REMEMBERED: i64 = 7;

/// A signed-in device.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// What the person calls the device.
    pub device: Option<String>,
    /// Signed in since.
    pub created: Timestamp,
}

impl ContactsTx<'_> {
    /// Signs a device in for a proven number; the person is registered with their first one. The oldest
    /// device gives way when there are too many.
    ///
    /// # Errors
    /// The store's.
    pub fn sign_in(
        &mut self,
        number: Msisdn,
        locale: Locale,
        fresh: SubscriberId,
        session: &NewSession,
    ) -> Result<Subscriber, StoreError> {
        let (keys, world) = (self.view.keys, self.world);
        let (key, now) = (keys.contact_key(number), world.now());
        self.view.sql.execute(
            "INSERT INTO subscriber (key, id, number, locale, since, proven) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (key) DO UPDATE SET locale = excluded.locale, proven = excluded.proven, held = NULL",
            params![key, fresh.0, seal_number(keys, world, number), locale.tag(), now, now],
        )?;
        self.view.sql.execute(
            "DELETE FROM session WHERE key = $1 AND id NOT IN (
               SELECT id FROM session WHERE key = $2 ORDER BY created DESC, id DESC LIMIT $3)",
            params![key, key, limits::SESSIONS_MAX - 1],
        )?;
        let seal =
            |name: &String| keys.seal(world, Purpose::Device, session.id.0.as_bytes(), name.as_bytes());
        self.view.sql.execute(
            "INSERT INTO session (id, key, token_hash, device, created) VALUES ($1, $2, $3, $4, $5)",
            params![
                session.id.0,
                key,
                token_hash(keys, &session.token).as_slice(),
                session.device.as_ref().map(seal),
                now,
            ],
        )?;
        self.view
            .find_subscriber(key)?
            .ok_or_else(|| StoreError::damaged("a subscriber that was just written"))
    }

    /// Keeps an account shut while the network gives no word on its number, and gives the attempt back that its
    /// right code has used up; answers since when. One kept shut long ago is so from now on.
    ///
    /// # Errors
    /// The store's.
    pub fn hold_sign_in(
        &mut self,
        key: ContactKey,
        attempt: RegistrationId,
    ) -> Result<Timestamp, StoreError> {
        let now = self.world.now();
        let forgotten = after_seconds(now, -HOLDS_REMEMBERED * limits::NUMBER_HOLD_S);
        let row = self.view.sql.query_one(
            "UPDATE subscriber SET held = CASE WHEN held > $1 AND held <= $2 THEN held ELSE $2 END
             WHERE key = $3 RETURNING held",
            params![forgotten, now, key],
        )?;
        self.view.sql.execute(
            "UPDATE registration SET spent = 0, tries = tries - 1 WHERE id = $1",
            params![attempt.0],
        )?;
        row.map_or(Ok(now), |row| row.time(0))
    }

    /// Signs one of a person's devices out; `false` when there is no such one.
    ///
    /// # Errors
    /// The store's.
    pub fn end_session(&mut self, key: ContactKey, session: SessionId) -> Result<bool, StoreError> {
        let ended = self
            .view
            .sql
            .execute("DELETE FROM session WHERE key = $1 AND id = $2", params![key, session.0])?;
        Ok(ended == 1)
    }

    /// Signs all of a person's devices out.
    ///
    /// # Errors
    /// The store's.
    pub fn end_all_sessions(&mut self, key: ContactKey) -> Result<(), StoreError> {
        self.view.sql.execute("DELETE FROM session WHERE key = $1", params![key])?;
        Ok(())
    }

    /// Erases a person: account, devices, consents, book, matches, hidings, attempts. The limiters go on counting:
    /// leaving must not open them. Their texts are `texts().silence`'s.
    ///
    /// # Errors
    /// The store's.
    pub fn erase_subscriber(&mut self, key: ContactKey) -> Result<(), StoreError> {
        self.forget_book(key)?;
        for sql in [
            "DELETE FROM session WHERE key = $1",
            "DELETE FROM book WHERE key = $1",
            "DELETE FROM consent WHERE key = $1",
            "DELETE FROM backup WHERE key = $1",
            "DELETE FROM hidden WHERE owner = $1",
            "DELETE FROM registration WHERE key = $1",
            "DELETE FROM subscriber WHERE key = $1",
        ] {
            self.view.sql.execute(sql, params![key])?;
        }
        Ok(())
    }
}

impl ContactsView<'_> {
    /// The person behind a key.
    ///
    /// # Errors
    /// The store's.
    pub fn find_subscriber(&mut self, key: ContactKey) -> Result<Option<Subscriber>, StoreError> {
        let row = self
            .sql
            .query_one("SELECT id, number, locale, since FROM subscriber WHERE key = $1", params![key])?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Subscriber {
            id: SubscriberId(row.uuid(0)?),
            key,
            number: open_number(self.keys, key, row.blob(1)?)?,
            locale: Locale::nearest(row.text(2)?),
            since: row.time(3)?,
        }))
    }

    /// What an account rests on.
    ///
    /// # Errors
    /// The store's.
    pub fn find_proof(&mut self, key: ContactKey) -> Result<Option<Proof>, StoreError> {
        let row =
            self.sql.query_one("SELECT id, since, proven FROM subscriber WHERE key = $1", params![key])?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Proof { id: SubscriberId(row.uuid(0)?), since: row.time(1)?, proven: row.time(2)? }))
    }

    /// Who shows this token: the person and the device.
    ///
    /// # Errors
    /// The store's.
    pub fn find_session(
        &mut self,
        token: &str,
    ) -> Result<Option<(SubscriberId, ContactKey, SessionId, Locale)>, StoreError> {
        let hash = token_hash(self.keys, token);
        let row = self.sql.query_one(
            "SELECT p.id, p.key, s.id, p.locale FROM session s JOIN subscriber p ON p.key = s.key WHERE s.token_hash = $1",
            params![hash.as_slice()],
        )?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((
            SubscriberId(row.uuid(0)?),
            row.key(1)?,
            SessionId(row.uuid(2)?),
            Locale::nearest(row.text(3)?),
        )))
    }

    /// Whether a device is signed in.
    ///
    /// # Errors
    /// The store's.
    pub fn is_signed_in(&mut self, key: ContactKey, session: SessionId) -> Result<bool, StoreError> {
        let row = self
            .sql
            .query_one("SELECT 1 FROM session WHERE key = $1 AND id = $2", params![key, session.0])?;
        Ok(row.is_some())
    }

    /// A person's devices, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub fn list_sessions(&mut self, key: ContactKey) -> Result<Vec<SessionRow>, StoreError> {
        let rows = self.sql.query(
            "SELECT id, device, created FROM session WHERE key = $1 ORDER BY created DESC, id",
            params![key],
        )?;
        let keys = self.keys;
        let open = |id: SessionId, sealed: &[u8]| {
            let name = keys.open(Purpose::Device, id.0.as_bytes(), sealed)?;
            String::from_utf8(name).map_err(|_| StoreError::damaged("a device's name that is not text"))
        };
        let read = |row: &crate::sql::Row| {
            let id = SessionId(row.uuid(0)?);
            let device = row.opt_blob(1)?.map(|sealed| open(id, sealed)).transpose()?;
            Ok(SessionRow { id, device, created: row.time(2)? })
        };
        rows.iter().map(read).collect()
    }
}

fn token_hash(keys: &crate::keys::Keys, token: &str) -> [u8; 32] {
    keys.hash("token", &[token.as_bytes()])
}
