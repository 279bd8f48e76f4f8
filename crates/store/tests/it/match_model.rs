//! Matching against a naive model, in every order of verbs.
//!
//! A handler's write is one closure, which the embedded writer runs whole: what can interleave are the
//! verbs. So every order of verbs is walked, from every state that verbs can bring two people into.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::ids::{SessionId, SubscriberId};
use domain::key::ContactKey;
use domain::locale::Locale;
use domain::world::World;
use proptest::prelude::*;
use store::contacts::NewSession;
use store::{StoreError, Tx};

use crate::backends::{Bench, number};

/// What one person does; `usize` names another person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Register,
    Leave,
    Upload(usize),
    UploadNobody,
    Add(usize),
    Remove(usize),
    Forget,
    Hide(usize),
    Show(usize),
}

/// Whoever does it, and what.
pub(crate) type Step = (usize, Verb);

/// The rule again, as plainly as it can be said.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Model {
    registered: BTreeSet<usize>,
    lists: BTreeSet<(usize, usize)>,
    hides: BTreeSet<(usize, usize)>,
}

impl Model {
    fn matched(&self) -> BTreeSet<(usize, usize)> {
        let mutual = |&(a, b): &(usize, usize)| {
            self.lists.contains(&(b, a))
                && !self.hides.contains(&(a, b))
                && !self.hides.contains(&(b, a))
                && self.registered.contains(&a)
                && self.registered.contains(&b)
        };
        self.lists.iter().copied().filter(mutual).collect()
    }

    /// Whether somebody can do this now: only registered people have a book or hide anybody.
    pub(crate) fn allows(&self, (who, verb): Step) -> bool {
        (verb == Verb::Register) != self.registered.contains(&who)
    }

    pub(crate) fn apply(&mut self, (who, verb): Step) {
        match verb {
            Verb::Register => {
                self.registered.insert(who);
            }
            Verb::Leave => {
                self.registered.remove(&who);
                self.lists.retain(|(a, _)| *a != who);
                self.hides.retain(|(a, _)| *a != who);
            }
            Verb::Upload(other) => {
                self.lists.retain(|(a, _)| *a != who);
                self.lists.insert((who, other));
            }
            Verb::UploadNobody | Verb::Forget => self.lists.retain(|(a, _)| *a != who),
            Verb::Add(other) => {
                self.lists.insert((who, other));
            }
            Verb::Remove(other) => {
                self.lists.remove(&(who, other));
            }
            Verb::Hide(other) => {
                self.hides.insert((who, other));
            }
            Verb::Show(other) => {
                self.hides.remove(&(who, other));
            }
        }
    }
}

/// Real people who play a model's.
#[derive(Clone)]
pub(crate) struct Cast {
    numbers: Vec<domain::Msisdn>,
    keys: Vec<ContactKey>,
}

impl Cast {
    pub(crate) fn new(bench: &Bench, first: u64, count: usize) -> Self {
        let numbers: Vec<_> = (first..).take(count).map(number).collect();
        let keys = numbers.iter().map(|number| bench.store.keys().contact_key(*number)).collect();
        Self { numbers, keys }
    }

    pub(crate) fn keys(&self) -> &[ContactKey] {
        &self.keys
    }

    /// Does a step; answers who matches the actor from now on, as the store says.
    pub(crate) fn act(
        &self,
        tx: &mut Tx<'_>,
        (who, verb): Step,
        chance: [u8; 16],
    ) -> Result<BTreeSet<usize>, StoreError> {
        let me = self.keys[who];
        let one = |other: usize| BTreeSet::from([self.keys[other]]);
        let mut contacts = tx.contacts();
        let change = match verb {
            Verb::Register => {
                let id = uuid::Uuid::from_bytes(chance);
                let session = NewSession { id: SessionId(id), token: id.to_string(), device: None };
                contacts.sign_in(self.numbers[who], Locale::English, SubscriberId(id), &session)?;
                return Ok(BTreeSet::new());
            }
            Verb::Leave => {
                contacts.erase_subscriber(me)?;
                return Ok(BTreeSet::new());
            }
            Verb::Forget => {
                contacts.forget_book(me)?;
                return Ok(BTreeSet::new());
            }
            Verb::Hide(other) => {
                contacts.hide(me, self.keys[other])?;
                return Ok(BTreeSet::new());
            }
            Verb::Show(other) => {
                let begun = contacts.show(me, self.keys[other])?;
                return Ok(begun.then_some(other).into_iter().collect());
            }
            // Somebody who takes no part stands in every book, so that no upload is of an empty one.
            Verb::Upload(other) => contacts.replace_book(me, &BTreeSet::from([self.keys[other], stranger()])),
            Verb::UploadNobody => contacts.replace_book(me, &BTreeSet::from([stranger()])),
            Verb::Add(other) => contacts.amend_book(me, &one(other), &BTreeSet::new()),
            Verb::Remove(other) => contacts.amend_book(me, &BTreeSet::new(), &one(other)),
        }?;
        Ok(change.new_matches.into_iter().map(|key| self.place(key)).collect())
    }

    /// Who sees whom among their matches.
    pub(crate) async fn seen(&self, bench: &Bench) -> BTreeSet<(usize, usize)> {
        let cast = self.clone();
        bench.store.write::<_, StoreError, _>(move |tx| cast.matched(tx)).await.unwrap()
    }

    fn place(&self, key: ContactKey) -> usize {
        self.keys.iter().position(|known| *known == key).expect("one of the cast")
    }

    fn matched(&self, tx: &mut Tx<'_>) -> Result<BTreeSet<(usize, usize)>, StoreError> {
        let mut all = BTreeSet::new();
        for (place, key) in self.keys.iter().enumerate() {
            let friends = tx.friends().list_matches(*key, None, 100)?;
            all.extend(friends.into_iter().map(|friend| (place, self.place(friend.friend))));
        }
        Ok(all)
    }
}

fn stranger() -> ContactKey {
    ContactKey::from_value(77)
}

/// All that one of two people can do about the other.
fn verbs(other: usize) -> [Verb; 9] {
    [
        Verb::Register,
        Verb::Leave,
        Verb::Upload(other),
        Verb::UploadNobody,
        Verb::Add(other),
        Verb::Remove(other),
        Verb::Forget,
        Verb::Hide(other),
        Verb::Show(other),
    ]
}

fn steps() -> impl Iterator<Item = Step> {
    [(0, 1), (1, 0)].into_iter().flat_map(|(who, other)| verbs(other).map(|verb| (who, verb)))
}

/// Walks paths, each with people of its own, comparing after each of the last steps; one commit for all.
async fn walk(bench: &Bench, paths: Vec<(Cast, Vec<Step>)>, compared: usize) {
    let world = bench.world.clone();
    let write = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        paths.iter().try_for_each(|(cast, path)| walk_one(tx, cast, path, compared, &world))
    };
    bench.store.write(write).await.unwrap();
}

fn walk_one(
    tx: &mut Tx<'_>,
    cast: &Cast,
    path: &[Step],
    compared: usize,
    world: &World,
) -> Result<(), StoreError> {
    let mut model = Model::default();
    for (index, step) in path.iter().enumerate() {
        let before = model.matched();
        model.apply(*step);
        let begun = cast.act(tx, *step, world.bytes())?;
        if index.saturating_add(compared) < path.len() {
            continue;
        }
        let after = model.matched();
        assert_eq!(cast.matched(tx)?, after, "after {step:?} at the end of {path:?}");
        let news: BTreeSet<(usize, usize)> = begun.into_iter().map(|other| (step.0, other)).collect();
        let fresh = after.difference(&before).copied().filter(|(who, _)| *who == step.0).collect();
        assert_eq!(news, fresh, "what {step:?} said at the end of {path:?}");
    }
    Ok(())
}

/// The shortest way into every state that two people's verbs can reach.
fn ways() -> BTreeMap<Model, Vec<Step>> {
    let mut ways = BTreeMap::from([(Model::default(), Vec::new())]);
    let mut open = VecDeque::from([Model::default()]);
    while let Some(model) = open.pop_front() {
        for step in steps().filter(|step| model.allows(*step)) {
            let mut next = model.clone();
            next.apply(step);
            if !ways.contains_key(&next) {
                let way = [ways[&model].as_slice(), &[step]].concat();
                ways.insert(next.clone(), way);
                open.push_back(next);
            }
        }
    }
    ways
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_match_by_the_rule_after_every_order_of_verbs() {
    let bench = Bench::embedded();
    let ways = ways();
    // Registered or not, and of those who are: listing and hiding, each of two.
    assert_eq!(ways.len(), 25);
    let mut first = 0;
    for (model, way) in &ways {
        let mut paths = Vec::new();
        for one in steps().filter(|step| model.allows(*step)) {
            let mut then = model.clone();
            then.apply(one);
            // Two steps from each state: rows that the model does not know of may differ after the first.
            for two in steps().filter(|step| then.allows(*step)) {
                first += 2;
                let path = [way.as_slice(), &[one, two]].concat();
                paths.push((Cast::new(&bench, first, 2), path));
            }
        }
        // What leads to a state was compared on the way into it.
        walk(&bench, paths, 2).await;
    }
    assert_eq!(wrong_matches(&bench).await, (0, 0));
}

pub(crate) async fn wrong_matches(bench: &Bench) -> (usize, usize) {
    bench.store.read::<_, StoreError, _>(|view| view.friends().check_matches()).await.unwrap()
}

pub(crate) fn crowd_step() -> impl Strategy<Value = Step> {
    (0..5_usize, 1..5_usize, 0..9_usize).prop_map(|(who, ahead, verb)| (who, verbs((who + ahead) % 5)[verb]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn five_people_match_by_the_rule_in_any_order(steps in prop::collection::vec(crowd_step(), 1..80)) {
        let mut model = Model::default();
        let mut path = Vec::new();
        for step in steps {
            // Whoever is not there yet comes first, so that most steps do something.
            let step = if model.allows(step) || step.1 == Verb::Register { step } else { (step.0, Verb::Register) };
            if model.allows(step) {
                model.apply(step);
                path.push(step);
            }
        }
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let bench = Bench::embedded();
            walk(&bench, vec![(Cast::new(&bench, 1, 5), path)], usize::MAX).await;
            assert_eq!(wrong_matches(&bench).await, (0, 0));
        });
    }
}
