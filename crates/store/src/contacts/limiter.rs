//! What the limiters of signing in count: rows, so that they hold across restarts and processes.

use domain::key::ContactKey;
use domain::limiter::{self, Hits, Rule};
use domain::world::after_seconds;
use jiff::{SignedDuration, Timestamp};

use super::ContactsTx;
use crate::error::StoreError;
use crate::keys::Keys;
use crate::sql::params;

/// What is counted. An address is whatever tells one place on the network from another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Counted<'a> {
    /// Sign-in texts to a number.
    TextsTo(ContactKey),
    /// Sign-in texts that an address asked for.
    TextsFrom(&'a [u8]),
    /// All sign-in texts.
    Texts,
    /// All wrong codes.
    Wrong,
    /// Wrong codes for a number.
    WrongFor(ContactKey),
    /// Wrong codes from an address.
    WrongFrom(&'a [u8]),
    /// Wrong codes for a number from one address.
    WrongForFrom(ContactKey, &'a [u8]),
}

impl Counted<'_> {
    fn subject(self, keys: &Keys) -> [u8; 32] {
        let hash = |word: &str, parts: &[&[u8]]| keys.hash(word, parts);
        let key = |key: ContactKey| key.value().to_be_bytes();
        match self {
            Self::TextsTo(number) => hash("texts to", &[&key(number)]),
            Self::TextsFrom(address) => hash("texts from", &[address]),
            Self::Texts => hash("texts", &[]),
            Self::Wrong => hash("wrong", &[]),
            Self::WrongFor(number) => hash("wrong for", &[&key(number)]),
            Self::WrongFrom(address) => hash("wrong from", &[address]),
            Self::WrongForFrom(number, address) => hash("wrong for from", &[&key(number), address]),
        }
    }

    /// What is counted over all is much: that of one minute shares a row.
    fn grain(self) -> SignedDuration {
        let over_all = matches!(self, Self::Texts | Self::Wrong);
        if over_all { SignedDuration::from_secs(60) } else { limiter::GRAIN_NONE }
    }
}

impl ContactsTx<'_> {
    /// When the next one is allowed; `None` when it is allowed now.
    ///
    /// Hits that lie ahead, since the clock was set back, are moved to the present: a limiter then
    /// neither opens nor stays shut for longer than its window. So what this writes must be kept, also
    /// when the answer is a refusal.
    ///
    /// # Errors
    /// The store's.
    pub fn next_allowed(
        &mut self,
        counted: Counted<'_>,
        rules: &[Rule],
    ) -> Result<Option<Timestamp>, StoreError> {
        let (now, grain) = (self.world.now(), counted.grain());
        let subject = counted.subject(self.view.keys);
        let sql = &mut self.view.sql;
        sql.execute(
            "UPDATE limiter SET at = $1 WHERE subject = $2 AND at > $3",
            params![now, subject.as_slice(), now],
        )?;
        let most = rules.iter().map(|rule| rule.max).max().unwrap_or(0);
        let longest = rules.iter().map(|rule| rule.window_s).max().unwrap_or(0) + grain.as_secs();
        let rows = sql.query(
            "SELECT at, hits FROM limiter WHERE subject = $1 AND at > $2 ORDER BY at DESC LIMIT $3",
            params![subject.as_slice(), after_seconds(now, -longest), most],
        )?;
        let read = |row: &crate::sql::Row| Ok(Hits { at: row.time(0)?, count: row.int(1)? });
        let hits = rows.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
        Ok(limiter::free_at(&hits, rules, grain, now))
    }

    /// Counts one, now.
    ///
    /// # Errors
    /// The store's.
    pub fn count_hit(&mut self, counted: Counted<'_>) -> Result<(), StoreError> {
        let (now, grain) = (self.world.now(), counted.grain());
        let subject = counted.subject(self.view.keys);
        let sql = &mut self.view.sql;
        if !grain.is_zero() {
            // Into the row that was begun less than a grain ago, if there is one.
            let begun = now.checked_sub(grain).unwrap_or(Timestamp::MIN);
            let joined = sql.execute(
                "UPDATE limiter SET hits = hits + 1 WHERE id IN (
                   SELECT MIN(id) FROM limiter WHERE subject = $1 AND at > $2 AND at <= $3)",
                params![subject.as_slice(), begun, now],
            )?;
            if joined > 0 {
                return Ok(());
            }
        }
        sql.execute(
            "INSERT INTO limiter (subject, at, hits) VALUES ($1, $2, 1)",
            params![subject.as_slice(), now],
        )?;
        Ok(())
    }
}
