//! Outbound texts: a row before the first byte is sent, an outcome whatever happens.

use domain::Msisdn;
use domain::ids::TextId;
use domain::key::ContactKey;
use jiff::Timestamp;

use super::{TextsTx, TextsView};
use crate::error::StoreError;
use crate::keys::Purpose;
use crate::people::{open_number, seal_number};
use crate::sql::{Row, params};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// The word at rest and in metrics.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word back.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// What a text is for: it decides what happens when nobody knows whether it was sent.
    TextPurpose {
        /// A sign-in code: never sent twice.
        SignIn = "sign_in",
        /// A confirmation: sent again at most once, with the same code.
        Confirmation = "confirmation",
        /// A receipt: sent again at most once.
        Receipt = "receipt",
        /// Any other notice: never sent twice.
        Notice = "notice",
    }
}

words! {
    /// Where a text stands.
    TextState {
        /// Waits to be sent.
        Queued = "queued",
        /// Handed to the connection; no answer yet.
        Sent = "sent",
        /// The centre has taken all parts.
        Accepted = "accepted",
        /// A receipt says that the phone has it.
        Delivered = "delivered",
        /// A receipt says that the phone will not get it.
        Undelivered = "undelivered",
        /// The centre refuses it for good.
        Rejected = "rejected",
        /// The connection broke before an answer came, and it is not sent again.
        Unknown = "unknown",
        /// Its time ran out before it could be sent.
        Expired = "expired",
    }
}

impl TextState {
    /// Whether the body is no longer needed.
    pub fn is_settled(self) -> bool {
        !matches!(self, Self::Queued | Self::Sent)
    }
}

/// A text to be sent.
#[derive(Clone)]
pub struct NewText {
    /// Its id.
    pub id: TextId,
    /// What it is for.
    pub purpose: TextPurpose,
    /// To whom.
    pub to: Msisdn,
    /// Digits appended to the sender's address; empty for the common number.
    pub suffix: String,
    /// What it says.
    pub body: String,
    /// Worthless after this moment.
    pub not_after: Timestamp,
    /// What waits for it; a `TextSettled` job names it when the text is settled.
    pub reference: Option<String>,
}

/// A text in the hands of the SMS link.
#[derive(Clone)]
pub struct OutboundText {
    /// Its id.
    pub id: TextId,
    /// What it is for.
    pub purpose: TextPurpose,
    /// To whom.
    pub to: Msisdn,
    /// Digits appended to the sender's address.
    pub suffix: String,
    /// What it says.
    pub body: String,
    /// Worthless after this moment.
    pub not_after: Timestamp,
    /// What waits for it.
    pub reference: Option<String>,
    /// Sendings that count, this one included: those after which nobody can say that the phone has
    /// nothing, and those that a centre in trouble refused.
    pub attempts: i64,
    /// Which taking this is. What is written about it counts only while nobody has taken the text since: a
    /// second process, or a write that is repeated because its answer was lost, changes nothing of a later one.
    pub sending: i64,
}

/// A text that has just come to a state which somebody may wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledText {
    /// Its id.
    pub id: TextId,
    /// What it is for.
    pub purpose: TextPurpose,
    /// Where it stands now.
    pub state: TextState,
    /// What waits for it.
    pub reference: Option<String>,
}

/// What a receipt changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptTaken {
    /// No accepted text has a part of this message id (yet).
    NotKnown,
    /// Written down, or a copy; the text stands where it stood.
    Noted,
    /// The text has come to its end.
    Settled(SettledText),
}

/// What waits in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueOutlook {
    /// How many texts are queued.
    pub queued: i64,
    /// When the oldest queued text was written.
    pub oldest: Option<Timestamp>,
    /// When the first queued text becomes worthless.
    pub next_expiry: Option<Timestamp>,
}

impl TextsTx<'_> {
    /// Queues a text.
    ///
    /// # Errors
    /// The store's.
    pub fn enqueue(&mut self, text: &NewText) -> Result<(), StoreError> {
        let (keys, world) = (self.view.keys, self.world);
        let now = world.now();
        let id = text.id.0;
        let body = keys.seal(world, Purpose::Body, id.as_bytes(), text.body.as_bytes());
        self.view.sql.execute(
            "INSERT INTO text (id, purpose, key, number, suffix, body, state, reference, not_after, created, next_try, attempts, sending)
             VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $8, $9, $10, 0, 0)",
            params![
                id,
                text.purpose.word(),
                keys.contact_key(text.to),
                seal_number(keys, world, text.to),
                text.suffix.as_str(),
                body,
                text.reference.as_deref(),
                text.not_after,
                now,
                now,
            ],
        )?;
        self.effects.texts = true;
        Ok(())
    }

    /// Takes up to `count` texts that are due and marks them sent: from here on their outcome is
    /// unknown until it is written down. Texts past their time stay for [`TextsTx::expire`]. Call it in
    /// [`Store::take`](crate::Store::take), where several may take.
    ///
    /// # Errors
    /// The store's.
    pub fn take_due(&mut self, count: usize) -> Result<Vec<OutboundText>, StoreError> {
        let now = self.world.now();
        let rows = self.view.sql.query(
            "UPDATE text SET state = 'sent', sent = $1, attempts = attempts + 1, sending = sending + 1
             WHERE id IN (
               SELECT id FROM text WHERE state = 'queued' AND next_try <= $2 AND not_after > $3
               ORDER BY next_try LIMIT $4 {skip locked})
             RETURNING id, purpose, key, number, suffix, body, not_after, reference, attempts, sending",
            params![now, now, now, count],
        )?;
        rows.iter().map(|row| self.read_outbound(row)).collect()
    }

    /// The queued texts whose time has run out, which become expired.
    ///
    /// # Errors
    /// The store's.
    pub fn expire(&mut self) -> Result<Vec<SettledText>, StoreError> {
        let now = self.world.now();
        let rows = self.view.sql.query(
            "UPDATE text SET state = 'expired', body = NULL WHERE state = 'queued' AND not_after <= $1
             RETURNING id, purpose, reference",
            params![now],
        )?;
        rows.iter().map(|row| read_settled(row, TextState::Expired)).collect()
    }

    /// Puts a text back into the queue, to be tried at `next_try`; the sending counts. Does nothing once the
    /// text has been taken again.
    ///
    /// # Errors
    /// The store's.
    pub fn requeue(&mut self, id: TextId, sending: i64, next_try: Timestamp) -> Result<(), StoreError> {
        self.put_back(id, sending, next_try, 0)
    }

    /// Puts a text back into the queue, to be tried at `next_try`, as if it had not been taken: it never
    /// left, or was only asked to come later. Does nothing once the text has been taken again: nobody may
    /// uncount a sending of somebody else.
    ///
    /// # Errors
    /// The store's.
    pub fn requeue_uncounted(
        &mut self,
        id: TextId,
        sending: i64,
        next_try: Timestamp,
    ) -> Result<(), StoreError> {
        self.put_back(id, sending, next_try, 1)
    }

    fn put_back(
        &mut self,
        id: TextId,
        sending: i64,
        next_try: Timestamp,
        uncounted: i64,
    ) -> Result<(), StoreError> {
        self.view.sql.execute(
            "UPDATE text SET state = 'queued', next_try = $1, attempts = attempts - $2
             WHERE id = $3 AND state = 'sent' AND sending = $4",
            params![next_try, uncounted, id.0, sending],
        )?;
        self.effects.texts = true;
        Ok(())
    }

    /// Writes down that the centre took all parts, and what it called each; wipes the body. Answers the
    /// text unless it stood there or further already. A part without a message id has no receipt.
    ///
    /// # Errors
    /// The store's.
    pub fn accept(
        &mut self,
        id: TextId,
        account: &str,
        message_ids: &[String],
    ) -> Result<Option<SettledText>, StoreError> {
        let now = self.world.now();
        let accepted = self.view.sql.query_one(
            "UPDATE text SET state = 'accepted', accepted = $1, body = NULL
             WHERE id = $2 AND state IN ('sent', 'queued', 'unknown') RETURNING id, purpose, reference",
            params![now, id.0],
        )?;
        let named = message_ids.iter().enumerate().filter(|(_, message_id)| !message_id.is_empty());
        for (part, message_id) in named {
            // A centre that starts counting anew gives an old id to a new text, which then has it.
            self.view.sql.execute(
                "INSERT INTO text_part (account, message_id, text, part, state, at) VALUES ($1, $2, $3, $4, 'accepted', $5)
                 ON CONFLICT (account, message_id) DO UPDATE SET
                   state = CASE WHEN text_part.text = excluded.text THEN text_part.state ELSE 'accepted' END,
                   text = excluded.text, part = excluded.part, at = excluded.at",
                params![account, message_id.as_str(), id.0, part, now],
            )?;
        }
        accepted.map(|row| read_settled(&row, TextState::Accepted)).transpose()
    }

    /// Writes down an outcome other than acceptance; wipes the body. Answers the text unless it stood
    /// there already, or had been accepted, settled otherwise or taken again.
    ///
    /// # Errors
    /// The store's.
    pub fn settle(
        &mut self,
        id: TextId,
        sending: i64,
        state: TextState,
    ) -> Result<Option<SettledText>, StoreError> {
        let settled = self.view.sql.query_one(
            "UPDATE text SET state = $1, body = NULL
             WHERE id = $2 AND state IN ('sent', 'queued', 'unknown') AND state <> $3 AND sending = $4
             RETURNING id, purpose, reference",
            params![state.word(), id.0, state.word(), sending],
        )?;
        settled.map(|row| read_settled(&row, state)).transpose()
    }

    /// Writes down a final receipt; the first stays. It settles the text when any part is undelivered, or
    /// every part is delivered.
    ///
    /// # Errors
    /// The store's.
    pub fn receive_receipt(
        &mut self,
        account: &str,
        message_id: &str,
        delivered: bool,
    ) -> Result<ReceiptTaken, StoreError> {
        let state = if delivered { TextState::Delivered } else { TextState::Undelivered };
        let part = self.view.sql.query_one(
            "SELECT text, state FROM text_part WHERE account = $1 AND message_id = $2",
            params![account, message_id],
        )?;
        let Some(part) = part else { return Ok(ReceiptTaken::NotKnown) };
        let id = part.uuid(0)?;
        if part.text(1)? != TextState::Accepted.word() {
            return Ok(ReceiptTaken::Noted);
        }
        self.view.sql.execute(
            "UPDATE text_part SET state = $1 WHERE account = $2 AND message_id = $3",
            params![state.word(), account, message_id],
        )?;
        let open = self.view.sql.query_one(
            "SELECT COUNT(*) FROM text_part WHERE text = $1 AND state = 'accepted'",
            params![id],
        )?;
        let open = open.map_or(Ok(0), |row| row.int(0))?;
        if delivered && open > 0 {
            return Ok(ReceiptTaken::Noted);
        }
        let settled = self.view.sql.query_one(
            "UPDATE text SET state = $1 WHERE id = $2 AND state = 'accepted' RETURNING id, purpose, reference",
            params![state.word(), id],
        )?;
        settled.map_or(Ok(ReceiptTaken::Noted), |row| read_settled(&row, state).map(ReceiptTaken::Settled))
    }

    /// Texts still marked sent that were taken up to a moment: their connection broke, or the process died. All of
    /// them without a moment, whatever the clock says: it may have been set back since they were taken.
    ///
    /// # Errors
    /// The store's.
    pub fn list_unanswered(
        &mut self,
        taken_until: Option<Timestamp>,
    ) -> Result<Vec<OutboundText>, StoreError> {
        let rows = self.view.sql.query(
            "SELECT id, purpose, key, number, suffix, body, not_after, reference, attempts, sending
             FROM text WHERE state = 'sent' AND sent <= $1",
            params![taken_until.unwrap_or(Timestamp::MAX)],
        )?;
        rows.iter().map(|row| self.read_outbound(row)).collect()
    }
}

/// What is known of a text beside its number and its body.
#[derive(Debug, Clone, Copy)]
pub struct TextOutline {
    /// Where it stands.
    pub state: TextState,
    /// When it was written.
    pub created: Timestamp,
    /// When it was sent last.
    pub sent: Option<Timestamp>,
    /// When the centre took it.
    pub accepted: Option<Timestamp>,
    /// Sendings that count.
    pub attempts: i64,
}

impl TextsTx<'_> {
    /// Lets nothing more go to a number or be read from it: what waits is expired, what came in is gone,
    /// what nobody could read is gone where the number stands in it, and no text can be led back to the number.
    ///
    /// # Errors
    /// The store's.
    pub fn silence(&mut self, key: ContactKey) -> Result<(), StoreError> {
        self.view.sql.execute("DELETE FROM inbox WHERE key = $1", params![key])?;
        self.forget_communications(key)?;
        self.view.sql.execute("DELETE FROM inbox_part WHERE key = $1", params![key])?;
        self.view.sql.execute(
            "UPDATE text SET number = $1, body = NULL, key = -1,
               state = CASE WHEN state IN ('queued', 'sent') THEN 'expired' ELSE state END
             WHERE key = $2",
            params![Vec::<u8>::new(), key],
        )?;
        self.forget_unread(key)
    }
}

impl TextsView<'_> {
    /// A text without its number and its body.
    ///
    /// # Errors
    /// The store's.
    pub fn find_outline(&mut self, id: TextId) -> Result<Option<TextOutline>, StoreError> {
        let row = self.sql.query_one(
            "SELECT state, created, sent, accepted, attempts FROM text WHERE id = $1",
            params![id.0],
        )?;
        let Some(row) = row else { return Ok(None) };
        let state = TextState::parse(row.text(0)?);
        Ok(Some(TextOutline {
            state: state.ok_or_else(|| StoreError::damaged("a text in no known state"))?,
            created: row.time(1)?,
            sent: row.opt_time(2)?,
            accepted: row.opt_time(3)?,
            attempts: row.int(4)?,
        }))
    }
}

impl TextsView<'_> {
    /// What the centre called each part of a text.
    ///
    /// # Errors
    /// The store's.
    pub fn list_message_ids(&mut self, id: TextId) -> Result<Vec<String>, StoreError> {
        let rows = self
            .sql
            .query("SELECT message_id FROM text_part WHERE text = $1 ORDER BY part", params![id.0])?;
        rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
    }

    /// Where a text stands.
    ///
    /// # Errors
    /// The store's.
    pub fn find_state(&mut self, id: TextId) -> Result<Option<TextState>, StoreError> {
        let row = self.sql.query_one("SELECT state FROM text WHERE id = $1", params![id.0])?;
        row.map(|row| {
            TextState::parse(row.text(0)?).ok_or_else(|| StoreError::damaged("a text in no known state"))
        })
        .transpose()
    }

    /// How many texts of a purpose were written for a number since a moment, and when the last was.
    ///
    /// # Errors
    /// The store's.
    pub fn count_since(
        &mut self,
        key: ContactKey,
        purpose: TextPurpose,
        since: Timestamp,
    ) -> Result<(i64, Option<Timestamp>), StoreError> {
        let row = self.sql.query_one(
            "SELECT COUNT(*), MAX(created) FROM text WHERE key = $1 AND purpose = $2 AND created > $3",
            params![key, purpose.word(), since],
        )?;
        row.map_or(Ok((0, None)), |row| Ok((row.int(0)?, row.opt_time(1)?)))
    }

    /// When the next queued text comes due.
    ///
    /// # Errors
    /// The store's.
    pub fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let row = self.sql.query_one("SELECT MIN(next_try) FROM text WHERE state = 'queued'", &[])?;
        row.map_or(Ok(None), |row| row.opt_time(0))
    }

    /// When the text was taken of which it is unknown the longest what became of it.
    ///
    /// # Errors
    /// The store's.
    pub fn oldest_unanswered(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let row = self.sql.query_one("SELECT MIN(sent) FROM text WHERE state = 'sent'", &[])?;
        row.map_or(Ok(None), |row| row.opt_time(0))
    }

    /// Whether a text that was accepted has a part of this message id.
    ///
    /// # Errors
    /// The store's.
    pub fn knows_message_id(&mut self, account: &str, message_id: &str) -> Result<bool, StoreError> {
        let row = self.sql.query_one(
            "SELECT 1 FROM text_part WHERE account = $1 AND message_id = $2",
            params![account, message_id],
        )?;
        Ok(row.is_some())
    }

    /// How long the queue has waited and when it next loses a text.
    ///
    /// # Errors
    /// The store's.
    pub fn outlook(&mut self) -> Result<QueueOutlook, StoreError> {
        let row = self.sql.query_one(
            "SELECT MIN(created), MIN(not_after), COUNT(*) FROM text WHERE state = 'queued'",
            &[],
        )?;
        row.map_or(Ok(QueueOutlook::default()), |row| {
            Ok(QueueOutlook { queued: row.int(2)?, oldest: row.opt_time(0)?, next_expiry: row.opt_time(1)? })
        })
    }

    /// How many texts stand in each of the states queued and sent.
    ///
    /// # Errors
    /// The store's.
    pub fn count_open(&mut self) -> Result<i64, StoreError> {
        let row = self.sql.query_one("SELECT COUNT(*) FROM text WHERE state IN ('queued', 'sent')", &[])?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    fn read_outbound(&self, row: &Row) -> Result<OutboundText, StoreError> {
        let id = row.uuid(0)?;
        let body = self.keys.open(Purpose::Body, id.as_bytes(), row.blob(5)?)?;
        Ok(OutboundText {
            id: TextId(id),
            purpose: read_purpose(row, 1)?,
            to: open_number(self.keys, row.key(2)?, row.blob(3)?)?,
            suffix: row.text(4)?.to_owned(),
            body: String::from_utf8(body).map_err(|_| StoreError::damaged("a body that is not text"))?,
            not_after: row.time(6)?,
            reference: row.opt_text(7)?.map(str::to_owned),
            attempts: row.int(8)?,
            sending: row.int(9)?,
        })
    }
}

pub(super) fn read_purpose(row: &Row, column: usize) -> Result<TextPurpose, StoreError> {
    TextPurpose::parse(row.text(column)?).ok_or_else(|| StoreError::damaged("a text of no known purpose"))
}

/// Reads id, purpose and reference.
fn read_settled(row: &Row, state: TextState) -> Result<SettledText, StoreError> {
    Ok(SettledText {
        id: TextId(row.uuid(0)?),
        purpose: read_purpose(row, 1)?,
        state,
        reference: row.opt_text(2)?.map(str::to_owned),
    })
}
