//! Pseudonyms: who stands behind them is known while the person's salt is there, and no longer.

use domain::ids::{ProductId, ProductOrderId};
use domain::key::ContactKey;
use serde_json::Value;
use uuid::Uuid;

use super::{AuditEntry, AuditRow, AuditTx, AuditView};
use crate::error::StoreError;
use crate::keys::Purpose;
use crate::sql::params;

/// What makes one person's pseudonyms; the empty one is nobody's.
pub(super) struct Salt(Vec<u8>);

type Alias = [u8; 16];

impl AuditTx<'_> {
    /// The subject and the detail of an entry, without a trace of whom they mean.
    pub(super) fn pseudonymous(&mut self, entry: &AuditEntry) -> Result<(Option<Alias>, String), StoreError> {
        let (subject, salt) = match entry.person {
            Some(person) => {
                let salt = self.salt(person)?;
                (Some(self.view.person_alias(&salt)), salt)
            }
            None => (None, Salt(Vec::new())),
        };
        let mut detail = entry.detail.clone();
        let order = entry.order.map(|order| self.view.order_alias(&salt, order));
        if let Some(order) = order {
            detail.insert("order".to_owned(), hex(&order).into());
        }
        if let Some(product) = entry.product {
            detail.insert("product".to_owned(), hex(&self.view.product_alias(&salt, product)).into());
        }
        // An order that names nobody is its own subject.
        Ok((subject.or(order), Value::Object(detail).to_string()))
    }

    fn salt(&mut self, person: ContactKey) -> Result<Salt, StoreError> {
        if let Some(salt) = self.view.find_salt(person)? {
            return Ok(salt);
        }
        let salt: [u8; 32] = self.world.bytes();
        let sealed =
            self.view.keys.seal(self.world, Purpose::AuditSalt, &person.value().to_be_bytes(), &salt);
        self.view
            .sql
            .execute("INSERT INTO audit_person (key, salt) VALUES ($1, $2)", params![person, sealed])?;
        Ok(Salt(salt.to_vec()))
    }

    /// Takes a person out of the log: its rows stay and hold, and nobody can tell whose they were. Call
    /// it after the last entry about them.
    ///
    /// # Errors
    /// The store's.
    pub fn unlink(&mut self, person: ContactKey) -> Result<(), StoreError> {
        self.view.sql.execute("DELETE FROM audit_person WHERE key = $1", params![person])?;
        Ok(())
    }
}

impl AuditView<'_> {
    pub(super) fn find_salt(&mut self, person: ContactKey) -> Result<Option<Salt>, StoreError> {
        let row = self.sql.query_one("SELECT salt FROM audit_person WHERE key = $1", params![person])?;
        let owner = person.value().to_be_bytes();
        row.map(|row| self.keys.open(Purpose::AuditSalt, &owner, row.blob(0)?).map(Salt)).transpose()
    }

    pub(super) fn person_alias(&self, salt: &Salt) -> Alias {
        self.alias("audit person", &salt.0, &Uuid::nil())
    }

    fn order_alias(&self, salt: &Salt, order: ProductOrderId) -> Alias {
        self.alias("audit order", &salt.0, &order.0)
    }

    fn product_alias(&self, salt: &Salt, product: ProductId) -> Alias {
        self.alias("audit product", &salt.0, &product.0)
    }

    // The salt is secret and of 256 bits: no other key is needed, and none that rotates may be used.
    fn alias(&self, what: &str, salt: &[u8], id: &Uuid) -> Alias {
        let mut hasher = blake3::Hasher::new();
        for part in [what.as_bytes(), salt, id.as_bytes()] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        let mut alias = [0; 16];
        hasher.finalize_xof().fill(&mut alias);
        alias
    }

    /// What the log says of an order and of the product that came of it, the oldest first; nothing once
    /// its customer was unlinked.
    ///
    /// # Errors
    /// The store's.
    pub fn list_of_order(
        &mut self,
        customer: Option<ContactKey>,
        order: ProductOrderId,
        product: Option<ProductId>,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let (subject, salt) = match customer {
            Some(customer) => {
                let Some(salt) = self.find_salt(customer)? else { return Ok(Vec::new()) };
                (self.person_alias(&salt), salt)
            }
            None => {
                let salt = Salt(Vec::new());
                (self.order_alias(&salt, order), salt)
            }
        };
        let order = hex(&self.order_alias(&salt, order));
        let product = product.map(|product| hex(&self.product_alias(&salt, product)));
        let mut rows = self.list_of(&subject)?;
        rows.retain(|row| {
            let detail: Value = serde_json::from_str(&row.detail).unwrap_or_default();
            let names = |name: &str, alias: &str| detail[name].as_str() == Some(alias);
            names("order", &order) || product.as_deref().is_some_and(|alias| names("product", alias))
        });
        Ok(rows)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
