//! Where orders are decided: one write in progress, with all that the rules need at hand.

mod add;
mod ask;
mod audit;
mod charge;
mod delete;
mod events;
mod evidence;
mod group;
mod life;
mod provision;
mod renew;
mod reply;
mod settle;
mod take;
mod take_back;
mod texts;
mod verdict;
mod way_back;

use domain::catalogue::OfferingId;
use domain::funnel::FunnelStep;
use domain::key::ContactKey;
use domain::world::World;
use store::audit::Actor;
use store::platform::OrderRow;
use store::{FunnelEvent, StoreError, Tx};

use crate::charging::PayerAnswer;
use crate::{Platform, PlatformConfig};

pub(crate) use ask::Waiting;
pub(crate) use charge::Paying;
pub(crate) use events::Delivery;
pub(crate) use provision::Said;
pub(crate) use take::Asked;

/// One write in progress. Its verbs stand in this module's files, one concern each.
pub(crate) struct Desk<'t, 'a> {
    pub(crate) tx: &'t mut Tx<'a>,
    pub(crate) world: &'t World,
    pub(crate) config: &'t PlatformConfig,
    /// Who is named in the audit log; nobody where what is written down is no decision.
    actor: Option<Actor>,
    /// What the charging system says about a payer, when it was asked before this write.
    payer: Option<PayerAnswer>,
}

impl<'t, 'a> Desk<'t, 'a> {
    pub(crate) fn new(tx: &'t mut Tx<'a>, platform: &'t Platform) -> Self {
        let actor = Some(Actor::Platform);
        Self { tx, world: &platform.world, config: &platform.config, actor, payer: None }
    }

    /// The same, with the charging system's answer about a payer.
    pub(crate) fn with_payer(tx: &'t mut Tx<'a>, platform: &'t Platform, payer: Option<PayerAnswer>) -> Self {
        Self { payer, ..Self::new(tx, platform) }
    }

    /// The same, acting for somebody else, or for nobody.
    pub(crate) fn acting_for(self, actor: Option<Actor>) -> Self {
        Self { actor, ..self }
    }

    /// Writes a step of the funnel down, with the order that it follows from.
    fn funnel(&mut self, step: FunnelStep, order: &OrderRow) -> Result<(), StoreError> {
        let (offering, person) = (order.offering.clone(), order.customer);
        self.funnel_of(step, offering, person, order.external_id.clone())
    }

    fn funnel_of(
        &mut self,
        step: FunnelStep,
        offering: Option<OfferingId>,
        person: Option<ContactKey>,
        cause: Option<String>,
    ) -> Result<(), StoreError> {
        self.tx.funnel().record(&FunnelEvent { step, offering, person, friend: None, cause })
    }
}
