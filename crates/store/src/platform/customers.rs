//! Whoever orders or has something here, and what they may spend.

use domain::Msisdn;
use domain::ids::ProductId;
use domain::key::ContactKey;
use domain::locale::Locale;
use jiff::Timestamp;

use super::catalogue::{read_json, write_json};
use super::{PlatformTx, PlatformView};
use crate::error::StoreError;
use crate::keys::Purpose;
use crate::people::{open_number, seal_number};
use crate::sql::params;

/// A customer of the platform; need not be registered with the contacts role.
#[derive(Debug, Clone, Copy)]
pub struct Customer {
    /// The key of the number.
    pub key: ContactKey,
    /// The number.
    pub number: Msisdn,
    /// The language to address the person in.
    pub locale: Locale,
}

impl PlatformTx<'_> {
    /// Remembers a customer; a language given replaces the one known.
    ///
    /// # Errors
    /// The store's.
    pub fn put_customer(&mut self, number: Msisdn, locale: Option<Locale>) -> Result<Customer, StoreError> {
        let (keys, world) = (self.view.keys, self.world);
        let key = keys.contact_key(number);
        self.view.sql.execute(
            "INSERT INTO customer (key, number, locale, td_list) VALUES ($1, $2, $3, '[]') ON CONFLICT (key) DO NOTHING",
            params![key, seal_number(keys, world, number), locale.unwrap_or_default().tag()],
        )?;
        if let Some(locale) = locale {
            self.view
                .sql
                .execute("UPDATE customer SET locale = $1 WHERE key = $2", params![locale.tag(), key])?;
        }
        self.view.find_customer(key)?.ok_or_else(|| StoreError::damaged("a customer that was just written"))
    }

    /// Remembers in which order a customer's products were listed to them.
    ///
    /// # Errors
    /// The store's.
    pub fn put_listed(&mut self, key: ContactKey, products: &[ProductId]) -> Result<(), StoreError> {
        self.view.sql.execute(
            "UPDATE customer SET td_list = $1 WHERE key = $2",
            params![write_json(&products)?, key],
        )?;
        Ok(())
    }

    /// Writes what a customer may spend: barred or not, and the most in a month in hundredths.
    ///
    /// # Errors
    /// The store's.
    pub fn put_payer(
        &mut self,
        key: ContactKey,
        barred: bool,
        cap_hundredths: Option<i64>,
    ) -> Result<(), StoreError> {
        self.view.sql.execute(
            "INSERT INTO payer (key, barred, cap) VALUES ($1, $2, $3)
             ON CONFLICT (key) DO UPDATE SET barred = excluded.barred, cap = excluded.cap",
            params![key, barred, cap_hundredths],
        )?;
        Ok(())
    }
}

impl PlatformTx<'_> {
    /// Forgets a customer as they were before a moment, and keeps what is evidence under a key that is no
    /// number's, which is answered: nobody who gets the number finds it, and nobody can tell whose it was. The
    /// number itself stays sealed beside that key until every charge is handed over and every provider told. Orders and products of
    /// later belong to somebody else, or to who came back.
    ///
    /// # Errors
    /// The store's.
    pub fn forget_customer(&mut self, key: ContactKey, before: Timestamp) -> Result<ContactKey, StoreError> {
        // Keys of numbers lie below 2^51.
        let nobody = ContactKey::from_value((1 << 62) | (u64::from_le_bytes(self.world.bytes()) >> 2));
        let mut moved = 0;
        for sql in [
            "UPDATE product SET customer = $1 WHERE customer = $2 AND since < $3",
            "UPDATE product_order SET customer = $1 WHERE customer = $2 AND taken < $3",
            "UPDATE confirmation SET customer = $1 WHERE customer = $2 AND written < $3",
            "UPDATE charge_event SET customer = $1 WHERE customer = $2
               AND (at < $3 OR product IN (SELECT id FROM product WHERE customer = $1))",
            "UPDATE provisioning SET customer = $1 WHERE customer = $2
               AND (at < $3 OR product IN (SELECT id FROM product WHERE customer = $1))",
        ] {
            moved += self.view.sql.execute(sql, params![nobody, key, before])?;
        }
        self.view
            .sql
            .execute("UPDATE funnel SET person = NULL WHERE person = $1 AND at < $2", params![key, before])?;
        if moved > 0 {
            self.put_former(nobody, key)?;
        }
        let stays = self.view.sql.query_one(
            "SELECT 1 FROM product WHERE customer = $1 UNION ALL SELECT 1 FROM product_order WHERE customer = $1 LIMIT 1",
            params![key],
        )?;
        if stays.is_none() {
            for sql in [
                "DELETE FROM product_claim WHERE customer = $1",
                "DELETE FROM payer WHERE key = $1",
                "DELETE FROM customer WHERE key = $1",
            ] {
                self.view.sql.execute(sql, params![key])?;
            }
        }
        Ok(nobody)
    }

    /// Notes a former customer, with the number while charges or providers wait for it.
    fn put_former(&mut self, nobody: ContactKey, key: ContactKey) -> Result<(), StoreError> {
        let (keys, world) = (self.view.keys, self.world);
        let owed = self.view.sql.query_one(
            "SELECT 1 FROM charge_event WHERE customer = $1 AND delivered = 0
             UNION ALL SELECT 1 FROM provisioning WHERE customer = $1 AND outcome = 'open' LIMIT 1",
            params![nobody],
        )?;
        let owner = nobody.value().to_be_bytes();
        let seal = |number: Msisdn| keys.seal(world, Purpose::Number, &owner, number.e164().as_bytes());
        let number = owed.and(self.view.find_customer(key)?).map(|customer| seal(customer.number));
        self.view.sql.execute(
            "INSERT INTO former_customer (key, number, since) VALUES ($1, $2, $3)",
            params![nobody, number, world.now()],
        )?;
        Ok(())
    }
}

impl PlatformView<'_> {
    /// The key of a number.
    pub fn key_of(&self, number: Msisdn) -> ContactKey {
        self.keys.contact_key(number)
    }

    /// A customer.
    ///
    /// # Errors
    /// The store's.
    pub fn find_customer(&mut self, key: ContactKey) -> Result<Option<Customer>, StoreError> {
        let row = self.sql.query_one("SELECT number, locale FROM customer WHERE key = $1", params![key])?;
        let Some(row) = row else { return Ok(None) };
        let number = open_number(self.keys, key, row.blob(0)?)?;
        Ok(Some(Customer { key, number, locale: Locale::nearest(row.text(1)?) }))
    }

    /// A page of the customers, with how many there are in all.
    ///
    /// # Errors
    /// The store's.
    pub fn list_customers(
        &mut self,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<Customer>, i64), StoreError> {
        let rows = self.sql.query(
            "SELECT key, number, locale FROM customer ORDER BY key LIMIT $1 OFFSET $2",
            params![limit, offset],
        )?;
        let total = self.sql.query_one("SELECT COUNT(*) FROM customer", &[])?;
        let mut customers = Vec::new();
        for row in &rows {
            let key = row.key(0)?;
            let number = open_number(self.keys, key, row.blob(1)?)?;
            customers.push(Customer { key, number, locale: Locale::nearest(row.text(2)?) });
        }
        Ok((customers, total.map_or(Ok(0), |row| row.int(0))?))
    }

    /// The products last listed to a customer, in that order.
    ///
    /// # Errors
    /// The store's.
    pub fn load_listed(&mut self, key: ContactKey) -> Result<Vec<ProductId>, StoreError> {
        let row = self.sql.query_one("SELECT td_list FROM customer WHERE key = $1", params![key])?;
        row.map_or(Ok(Vec::new()), |row| read_json(row.text(0)?))
    }

    /// Whether a customer is barred from paid services, and the cap of their month in hundredths.
    ///
    /// # Errors
    /// The store's.
    pub fn load_payer(&mut self, key: ContactKey) -> Result<(bool, Option<i64>), StoreError> {
        let row = self.sql.query_one("SELECT barred, cap FROM payer WHERE key = $1", params![key])?;
        row.map_or(Ok((false, None)), |row| Ok((row.bool(0)?, row.opt_int(1)?)))
    }
}
