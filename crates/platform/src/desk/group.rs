//! Short-number groups: ordering a friend's membership joins the friend's group.
//!
//! The order names the group by a reference alone, which the friend's product carries and which is good for that
//! one membership while it lasts; without a reference a new group begins.

use domain::catalogue::{GroupId, Offering};
use domain::group::GroupRules;
use domain::key::ContactKey;
use domain::limits;
use domain::order::Reason;
use store::platform::{Joined, Membership, OrderRow, ProductRow};
use tmf::ProductOrderCreate;

use super::Desk;
use crate::refusal::Refusal;

impl Desk<'_, '_> {
    /// Whether somebody may join the group that a reference names; also where the offering has no groups.
    pub(super) fn check_group(
        &mut self,
        customer: ContactKey,
        offering: &Offering,
        referral: Option<&str>,
    ) -> Result<Result<(), Reason>, Refusal> {
        let Some(rules) = self.tx.platform().find_group_rules(&offering.id)? else { return Ok(Ok(())) };
        let friends = self.friends_membership(offering, referral)?;
        if let Some(own) = self.tx.platform().find_membership_of(customer)? {
            let group = friends.as_ref().map_or(&own.group, |friends| &friends.group);
            let same = own.offering == offering.id && own.group == *group;
            // Who has it already is told so by whoever holds the claim.
            return Ok(if same { Ok(()) } else { Err(Reason::InAnotherGroup) });
        }
        let Some(friends) = friends else {
            return Ok(if referral.is_some() { Err(Reason::FriendLeftGroup) } else { Ok(()) });
        };
        let members = self.tx.platform().list_short_numbers(&friends.group)?.len();
        Ok(if has_room(rules, members) { Ok(()) } else { Err(Reason::GroupFull) })
    }

    /// The same for an order that was taken before.
    pub(super) fn check_group_of(
        &mut self,
        order: &OrderRow,
        customer: ContactKey,
        offering: &Offering,
    ) -> Result<Result<(), Reason>, Refusal> {
        let request = request(order);
        self.check_group(customer, offering, request.referral())
    }

    /// Takes the owner of a new product into the group that the order names, or into a new one; nothing where the
    /// offering has no groups.
    pub(super) fn join_group(
        &mut self,
        order: &OrderRow,
        product: &ProductRow,
        offering: &Offering,
    ) -> Result<(), Refusal> {
        let Some(rules) = self.tx.platform().find_group_rules(&offering.id)? else { return Ok(()) };
        let request = request(order);
        let group = match self.friends_membership(offering, request.referral())? {
            Some(friends) => friends.group,
            None => GroupId::from(self.world.uuid()),
        };
        match self.tx.platform().join_group(product, &group, rules, None)? {
            Joined::In(_) => Ok(()),
            // It was looked at in this very write.
            Joined::InAnother | Joined::Full | Joined::NumberTaken => {
                Err(Refusal::state("the group cannot be joined"))
            }
        }
    }

    /// The membership that a reference names, if it lasts and is of this offering.
    fn friends_membership(
        &mut self,
        offering: &Offering,
        referral: Option<&str>,
    ) -> Result<Option<Membership>, Refusal> {
        let Some(referral) = referral else { return Ok(None) };
        let found = self.tx.platform().find_membership_by_reference(referral)?;
        Ok(found.filter(|friends| friends.offering == offering.id))
    }
}

fn has_room(rules: GroupRules, members: usize) -> bool {
    members < limits::count(rules.members_max())
}

/// The order as it was placed.
fn request(order: &OrderRow) -> ProductOrderCreate {
    serde_json::from_slice(&order.request).unwrap_or_default()
}
