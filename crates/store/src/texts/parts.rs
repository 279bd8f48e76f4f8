//! The parts of long texts that came in: stored before the centre is told that they were taken, and joined
//! when the last has come, whichever process it comes to.

use domain::Msisdn;
use domain::limits;
use domain::world::after_seconds;

use super::TextsTx;
use crate::error::StoreError;
use crate::keys::Purpose;
use crate::sql::{Row, params};

/// One part of a long text as it came from the centre.
#[derive(Clone)]
pub struct NewPart {
    /// Which connection it came over.
    pub account: String,
    /// From whom.
    pub from: Msisdn,
    /// To which of our addresses.
    pub destination: String,
    /// What tells this text's parts from another's of the same phone.
    pub reference: u16,
    /// How many parts there are.
    pub total: u8,
    /// Which one this is, from 1.
    pub number: u8,
    /// What it says.
    pub body: PartBody,
}

/// What a part says: octets, and the centre's word on how to read them.
#[derive(Clone, PartialEq, Eq)]
pub struct PartBody {
    /// data_coding (SMPP 3.4 section 5.2.19).
    pub coding: u8,
    /// The octets.
    pub octets: Vec<u8>,
}

/// A part at rest.
struct Kept {
    place: i64,
    body: PartBody,
}

impl TextsTx<'_> {
    /// Stores one part; gives all parts in their order, and forgets them, once the last has come. A copy
    /// changes nothing; other octets in the same place begin the text anew, for phones use references again.
    ///
    /// # Errors
    /// The store's.
    pub fn receive_part(&mut self, part: &NewPart) -> Result<Option<Vec<PartBody>>, StoreError> {
        if !(1..=part.total).contains(&part.number) {
            return Ok(None);
        }
        let whole = self.whole(part);
        let mut kept = self.kept(&whole)?;
        match kept.iter().find(|kept| kept.place == i64::from(part.number)) {
            Some(same) if same.body == part.body => {}
            Some(_) => {
                self.view
                    .sql
                    .execute("DELETE FROM inbox_part WHERE whole = $1", params![whole.as_slice()])?;
                kept.clear();
                self.keep(&whole, part)?;
            }
            None => self.keep(&whole, part)?,
        }
        if !kept.iter().any(|kept| kept.place == i64::from(part.number)) {
            kept.push(Kept { place: part.number.into(), body: part.body.clone() });
        }
        if kept.len() < usize::from(part.total) {
            return Ok(None);
        }
        self.view.sql.execute("DELETE FROM inbox_part WHERE whole = $1", params![whole.as_slice()])?;
        kept.sort_unstable_by_key(|kept| kept.place);
        Ok(Some(kept.into_iter().map(|kept| kept.body).collect()))
    }

    /// The keyed hash of what all parts of one text share.
    fn whole(&self, part: &NewPart) -> Vec<u8> {
        let (number, reference) = (part.from.digits().to_be_bytes(), part.reference.to_be_bytes());
        let fields: [&[u8]; 5] =
            [part.account.as_bytes(), &number, part.destination.as_bytes(), &reference, &[part.total]];
        self.view.keys.hash("inbound parts", &fields).as_slice().to_vec()
    }

    /// The parts that are there and young enough.
    fn kept(&mut self, whole: &[u8]) -> Result<Vec<Kept>, StoreError> {
        let oldest = after_seconds(self.world.now(), -limits::INBOX_PARTS_KEEP_S);
        self.view
            .sql
            .execute("DELETE FROM inbox_part WHERE whole = $1 AND received <= $2", params![whole, oldest])?;
        let rows = self.view.sql.query(
            "SELECT fingerprint, place, coding, octets FROM inbox_part WHERE whole = $1",
            params![whole],
        )?;
        rows.iter().map(|row| self.read_part(row)).collect()
    }

    fn read_part(&self, row: &Row) -> Result<Kept, StoreError> {
        let coding = u8::try_from(row.int(2)?).map_err(|_| StoreError::damaged("a coding out of range"))?;
        let octets = self.view.keys.open(Purpose::Body, row.blob(0)?, row.blob(3)?)?;
        Ok(Kept { place: row.int(1)?, body: PartBody { coding, octets } })
    }

    fn keep(&mut self, whole: &[u8], part: &NewPart) -> Result<(), StoreError> {
        let (keys, world) = (self.view.keys, self.world);
        let fingerprint = keys.hash("inbound part", &[whole, &[part.number]]);
        let octets = keys.seal(world, Purpose::Body, fingerprint.as_slice(), &part.body.octets);
        let key = keys.contact_key(part.from);
        self.view.sql.execute(
            "INSERT INTO inbox_part (fingerprint, whole, key, place, coding, octets, received)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            params![
                fingerprint.as_slice(),
                whole,
                key,
                i64::from(part.number),
                i64::from(part.body.coding),
                octets,
                world.now(),
            ],
        )?;
        // One phone cannot fill the store with beginnings.
        self.view.sql.execute(
            "DELETE FROM inbox_part WHERE fingerprint IN (
               SELECT fingerprint FROM inbox_part WHERE key = $1 ORDER BY received DESC, place LIMIT 100000 OFFSET $2)",
            params![key, limits::INBOX_PARTS_PHONE_MAX],
        )?;
        Ok(())
    }
}
