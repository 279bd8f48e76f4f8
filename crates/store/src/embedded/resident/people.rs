//! What people show of their subscriptions.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::capture::Shown;
use crate::exchange::Card;

/// Subscriptions and shares by their owner, and what hangs on them. Rows come in any order, so nothing here waits for
/// another row to be there.
#[derive(Default)]
pub(super) struct People {
    owners: HashMap<u64, Owner>,
    audiences: HashMap<i64, BTreeSet<u64>>,
    seen: HashMap<i64, BTreeSet<u64>>,
    cards: HashMap<String, ShownCard>,
}

/// What one person has and shows.
#[derive(Default)]
pub(super) struct Owner {
    subscriptions: Vec<Subscription>,
    pub(super) shares: Vec<Share>,
}

struct Subscription {
    id: [u8; 16],
    offering: String,
    active: bool,
}

pub(super) struct Share {
    pub(super) no: i64,
    subscription: [u8; 16],
    named: bool,
    pub(super) since: i64,
}

pub(super) struct ShownCard {
    /// `None` when the row is not what was written.
    pub(super) card: Option<Arc<Card>>,
    sensitive: bool,
}

impl People {
    pub(super) fn apply(&mut self, came: bool, row: Shown) {
        match row {
            Shown::Subscription { id, owner, offering, active } => self.change_owner(owner, |one| {
                let kept = &mut one.subscriptions;
                if came {
                    kept.push(Subscription { id, offering, active });
                } else {
                    kept.retain(|subscription| subscription.id != id);
                }
            }),
            Shown::Share { no, subscription, owner, named, since } => self.change_owner(owner, |one| {
                let kept = &mut one.shares;
                if came {
                    kept.push(Share { no, subscription, named, since });
                } else {
                    kept.retain(|share| share.no != no);
                }
            }),
            Shown::Audience { share, friend } => change_set(&mut self.audiences, came, share, friend),
            Shown::Seen { share, viewer } => change_set(&mut self.seen, came, share, viewer),
            Shown::Card { offering, body, sensitive } if came => {
                let card = Card::read(&body).ok().map(Arc::new);
                self.cards.insert(offering, ShownCard { card, sensitive });
            }
            Shown::Card { offering, .. } => {
                self.cards.remove(&offering);
            }
        }
    }

    fn change_owner(&mut self, owner: u64, change: impl FnOnce(&mut Owner)) {
        let one = self.owners.entry(owner).or_default();
        change(one);
        if one.subscriptions.is_empty() && one.shares.is_empty() {
            self.owners.remove(&owner);
        }
    }

    pub(super) fn owner(&self, key: u64) -> Option<&Owner> {
        self.owners.get(&key)
    }

    /// The offering and the card of a share that a viewer who matches its owner may see.
    pub(super) fn visible(&self, owner: &Owner, share: &Share, viewer: u64) -> Option<(&str, &ShownCard)> {
        let subscription = owner.subscriptions.iter().find(|one| one.id == share.subscription)?;
        let (offering, card) = self.cards.get_key_value(&subscription.offering)?;
        let named = || self.audiences.get(&share.no).is_some_and(|friends| friends.contains(&viewer));
        let shown = subscription.active && !card.sensitive && (!share.named || named());
        shown.then_some((offering, card))
    }

    /// Whether a viewer's feed has shown a share before.
    pub(super) fn seen(&self, share: i64, viewer: u64) -> bool {
        self.seen.get(&share).is_some_and(|viewers| viewers.contains(&viewer))
    }
}

impl Owner {
    /// Whether they have a subscription to an offering, in whatever state.
    pub(super) fn has(&self, offering: &str) -> bool {
        self.subscriptions.iter().any(|one| one.offering == offering)
    }
}

fn change_set(sets: &mut HashMap<i64, BTreeSet<u64>>, came: bool, share: i64, person: u64) {
    let set = sets.entry(share).or_default();
    if came {
        set.insert(person);
    } else {
        set.remove(&person);
    }
    if set.is_empty() {
        sets.remove(&share);
    }
}
