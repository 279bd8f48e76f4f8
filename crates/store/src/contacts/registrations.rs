//! Attempts to sign in by a code.

use domain::Msisdn;
use domain::ids::RegistrationId;
use domain::key::ContactKey;
use domain::locale::Locale;
use domain::world::after_seconds;
use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::ContactsTx;
use crate::error::StoreError;
use crate::people::{open_number, seal_number};
use crate::sql::params;

/// An attempt to sign in.
#[derive(Clone)]
pub struct NewRegistration {
    /// Its id.
    pub id: RegistrationId,
    /// The number to be proven.
    pub number: Msisdn,
    /// The language to address the person in.
    pub locale: Locale,
    /// The code that was texted; kept only as a keyed hash.
    pub code: String,
    /// The code is worthless after this moment.
    pub expires: Timestamp,
}

/// What came of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeTried {
    /// There is no such attempt, or a newer one has voided it, or it is used up.
    Unknown,
    /// Its time has run out.
    Expired,
    /// Too many wrong codes came before: this one was not compared.
    TooManyTries,
    /// Not the code; `last`, when a new one is needed now.
    Wrong {
        /// Whether it was the last try.
        last: bool,
    },
    /// The code; the number is proven.
    Right(Msisdn, Locale),
}

impl ContactsTx<'_> {
    /// Writes an attempt down and voids earlier ones of the same number.
    ///
    /// # Errors
    /// The store's.
    pub fn begin_registration(&mut self, new: &NewRegistration) -> Result<(), StoreError> {
        let (keys, world) = (self.view.keys, self.world);
        let key = keys.contact_key(new.number);
        let id = new.id.0;
        self.view
            .sql
            .execute("UPDATE registration SET spent = 1 WHERE key = $1 AND spent = 0", params![key])?;
        self.view.sql.execute(
            "INSERT INTO registration (id, key, number, locale, code_hash, created, expires, tries, spent)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)",
            params![
                id,
                key,
                seal_number(keys, world, new.number),
                new.locale.tag(),
                keys.hash("sign-in code", &[id.as_bytes(), new.code.as_bytes()]).as_slice(),
                world.now(),
                new.expires,
            ],
        )?;
        Ok(())
    }

    /// The number, as a key, that an attempt is for; `None` when there is no such one, or it is over.
    ///
    /// # Errors
    /// The store's.
    pub fn find_attempt(&mut self, id: RegistrationId) -> Result<Option<ContactKey>, StoreError> {
        let row = self
            .view
            .sql
            .query_one("SELECT key FROM registration WHERE id = $1 AND spent = 0", params![id.0])?;
        row.map(|row| row.key(0)).transpose()
    }

    /// Tries a code, of which so many may be wrong. Every try counts, also across restarts; the right one
    /// uses the attempt up.
    ///
    /// # Errors
    /// The store's.
    pub fn try_code(
        &mut self,
        id: RegistrationId,
        code: &str,
        tries_max: i64,
    ) -> Result<CodeTried, StoreError> {
        let found = self.view.sql.query_one(
            "SELECT key, number, locale, code_hash, created, expires, tries
             FROM registration WHERE id = $1 AND spent = 0",
            params![id.0],
        )?;
        let Some(found) = found else { return Ok(CodeTried::Unknown) };
        if !is_alive(self.world.now(), found.time(4)?, found.time(5)?) {
            return Ok(CodeTried::Expired);
        }
        let tries = found.int(6)? + 1;
        if tries > tries_max {
            return Ok(CodeTried::TooManyTries);
        }
        let keys = self.view.keys;
        let hash = keys.hash("sign-in code", &[id.0.as_bytes(), code.as_bytes()]);
        let right = bool::from(hash.ct_eq(found.blob(3)?));
        self.view.sql.execute(
            "UPDATE registration SET tries = tries + 1, spent = $1 WHERE id = $2",
            params![right, id.0],
        )?;
        if !right {
            return Ok(CodeTried::Wrong { last: tries == tries_max });
        }
        let number = open_number(keys, found.key(0)?, found.blob(1)?)?;
        Ok(CodeTried::Right(number, Locale::nearest(found.text(2)?)))
    }
}

/// Whether a code still counts. One that was made far ahead of now, since the clock was set back, does
/// not: it would live for as long again as the clock was wrong. Clocks of two processes may differ a little.
fn is_alive(now: Timestamp, created: Timestamp, expires: Timestamp) -> bool {
    now < expires && created <= after_seconds(now, CLOCKS_APART_S)
}

/// How far apart the clocks of two processes may be.
const CLOCKS_APART_S: i64 = 10;
