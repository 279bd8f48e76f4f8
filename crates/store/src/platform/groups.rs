//! Short-number groups: what the groups of an offering are like, and who is in which. A person is in one at most.

use std::collections::BTreeSet;

use domain::catalogue::{GroupId, OfferingId};
use domain::group::{GroupRules, ShortNumber};
use domain::ids::ProductId;
use domain::key::ContactKey;

use super::catalogue::read_offering_id;
use super::{PlatformTx, PlatformView, ProductRow};
use crate::error::{Kind, StoreError};
use crate::sql::{Row, params};

/// Who is in a group, and under which short number, as long as their product lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The product.
    pub product: ProductId,
    /// Whose it is.
    pub customer: ContactKey,
    /// Of which offering.
    pub offering: OfferingId,
    /// The group.
    pub group: GroupId,
    /// The number in it.
    pub short_number: ShortNumber,
    /// What an order names that wants into the same group: of chance, and good for this membership alone.
    pub reference: String,
}

/// What became of joining a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    /// In it.
    In(Membership),
    /// Not: the person is in a group already.
    InAnother,
    /// Not: the group is full.
    Full,
    /// Not: somebody in the group has the short number that was asked for.
    NumberTaken,
}

impl PlatformTx<'_> {
    /// Writes what the groups of an offering are like, or that it has none; `false` when it was so already.
    ///
    /// # Errors
    /// The store's.
    pub fn put_group_rules(
        &mut self,
        offering: &OfferingId,
        rules: Option<GroupRules>,
    ) -> Result<bool, StoreError> {
        if self.view.find_group_rules(offering)? == rules {
            return Ok(false);
        }
        self.view.sql.execute("DELETE FROM group_rules WHERE offering = $1", params![offering.as_str()])?;
        if let Some(rules) = rules {
            self.view.sql.execute(
                "INSERT INTO group_rules (offering, digits, members_max) VALUES ($1, $2, $3)",
                params![offering.as_str(), rules.digits(), rules.members_max()],
            )?;
        }
        Ok(true)
    }

    /// Takes the owner of a product into a group, under a short number that is free there.
    ///
    /// # Errors
    /// The store's; that it cannot be is an answer, not an error.
    pub fn join_group(
        &mut self,
        product: &ProductRow,
        group: &GroupId,
        rules: GroupRules,
        wanted: Option<&ShortNumber>,
    ) -> Result<Joined, StoreError> {
        let taken = self.view.list_short_numbers(group)?;
        let Some(thrown) = rules.throw(self.world, &taken) else { return Ok(Joined::Full) };
        if wanted.is_some_and(|wanted| taken.contains(wanted)) {
            return Ok(Joined::NumberTaken);
        }
        let membership = Membership {
            product: product.id,
            customer: product.customer,
            offering: product.offering.clone(),
            group: group.clone(),
            short_number: wanted.cloned().unwrap_or(thrown),
            reference: self.world.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let joined = self.view.sql.execute(
            "INSERT INTO group_member (product, customer, offering, group_id, short_number, reference)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            params![
                membership.product.0,
                membership.customer,
                membership.offering.as_str(),
                membership.group.as_str(),
                membership.short_number.as_str(),
                membership.reference.as_str(),
            ],
        )?;
        match (joined, self.view.find_membership_of(product.customer)?) {
            (1, _) => Ok(Joined::In(membership)),
            (_, Some(_)) => Ok(Joined::InAnother),
            // Somebody else took the number a moment ago: run again, and see it.
            (_, None) => Err(StoreError::new(Kind::Contended, "a short number was taken meanwhile")),
        }
    }

    /// Takes a product out of its group, if it is in one: its number and its reference are free from here on.
    ///
    /// # Errors
    /// The store's.
    pub fn leave_group(&mut self, product: ProductId) -> Result<(), StoreError> {
        self.view.sql.execute("DELETE FROM group_member WHERE product = $1", params![product.0])?;
        Ok(())
    }
}

macro_rules! members {
    ($rest:literal) => {
        concat!(
            "SELECT product, customer, offering, group_id, short_number, reference FROM group_member ",
            $rest
        )
    };
}

impl PlatformView<'_> {
    /// What the groups of an offering are like; `None` when it has none.
    ///
    /// # Errors
    /// The store's.
    pub fn find_group_rules(&mut self, offering: &OfferingId) -> Result<Option<GroupRules>, StoreError> {
        let row = self.sql.query_one(
            "SELECT digits, members_max FROM group_rules WHERE offering = $1",
            params![offering.as_str()],
        )?;
        let Some(row) = row else { return Ok(None) };
        let rules = GroupRules::new(row.int(0)?, row.int(1)?);
        rules.map(Some).map_err(|error| StoreError::new(Kind::Damaged, error))
    }

    /// The membership of a product.
    ///
    /// # Errors
    /// The store's.
    pub fn find_membership(&mut self, product: ProductId) -> Result<Option<Membership>, StoreError> {
        let row = self.sql.query_one(members!("WHERE product = $1"), params![product.0])?;
        row.map(|row| read_membership(&row)).transpose()
    }

    /// The one membership of a person.
    ///
    /// # Errors
    /// The store's.
    pub fn find_membership_of(&mut self, customer: ContactKey) -> Result<Option<Membership>, StoreError> {
        let row = self.sql.query_one(members!("WHERE customer = $1"), params![customer])?;
        row.map(|row| read_membership(&row)).transpose()
    }

    /// The membership that a reference names, while it lasts.
    ///
    /// # Errors
    /// The store's.
    pub fn find_membership_by_reference(
        &mut self,
        reference: &str,
    ) -> Result<Option<Membership>, StoreError> {
        let row = self.sql.query_one(members!("WHERE reference = $1"), params![reference])?;
        row.map(|row| read_membership(&row)).transpose()
    }

    /// The short numbers of a group's members.
    ///
    /// # Errors
    /// The store's.
    pub fn list_short_numbers(&mut self, group: &GroupId) -> Result<BTreeSet<ShortNumber>, StoreError> {
        let rows = self
            .sql
            .query("SELECT short_number FROM group_member WHERE group_id = $1", params![group.as_str()])?;
        rows.iter().map(|row| read_short_number(row.text(0)?)).collect()
    }
}

fn read_short_number(text: &str) -> Result<ShortNumber, StoreError> {
    ShortNumber::parse(text).ok_or_else(|| StoreError::damaged("a short number of the wrong form"))
}

fn read_membership(row: &Row) -> Result<Membership, StoreError> {
    Ok(Membership {
        product: ProductId(row.uuid(0)?),
        customer: row.key(1)?,
        offering: read_offering_id(row.text(2)?)?,
        group: GroupId::parse(row.text(3)?)
            .map_err(|_| StoreError::damaged("a group id of the wrong form"))?,
        short_number: read_short_number(row.text(4)?)?,
        reference: row.text(5)?.to_owned(),
    })
}
