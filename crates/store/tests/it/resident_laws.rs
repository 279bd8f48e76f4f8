//! Laws of what the embedded store keeps in memory for readers: it says what the rows say, after every commit.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::catalogue::OfferingId;
use domain::consent::Audience;
use domain::key::ContactKey;
use domain::order::ProductState;
use proptest::prelude::*;
use store::exchange::ProductNews;
use store::friends::{FeedFilter, FeedItem, FriendsView, Match};
use store::{Store, StoreError, Tx};

use crate::backends::Bench;
use crate::match_model::{self, Cast, Model, Verb, wrong_matches};
use crate::share_laws::card_of;

const PEOPLE: usize = 5;
const OFFERINGS: [&str; 2] = ["crbt", "data10"];
const STATES: [ProductState; 3] = [ProductState::Active, ProductState::Suspended, ProductState::Terminated];

/// What somebody does, and whether their write is kept.
#[derive(Debug, Clone)]
struct Act {
    step: Step,
    kept: bool,
}

#[derive(Debug, Clone)]
enum Step {
    Match(match_model::Step),
    Subscribe(usize, usize, usize),
    Share(usize, usize, Option<usize>),
    Unshare(usize, usize),
    Card(usize, bool),
    See(usize, bool),
    Erase(usize),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let (person, offering) = (0..PEOPLE, 0..OFFERINGS.len());
    prop_oneof![
        8 => match_model::crowd_step().prop_map(Step::Match),
        4 => (person.clone(), offering.clone(), 0..STATES.len()).prop_map(|(a, b, c)| Step::Subscribe(a, b, c)),
        5 => (person.clone(), offering.clone(), prop::option::of(0..PEOPLE))
            .prop_map(|(a, b, c)| Step::Share(a, b, c)),
        1 => (person.clone(), offering.clone()).prop_map(|(a, b)| Step::Unshare(a, b)),
        1 => (offering, any::<bool>()).prop_map(|(a, b)| Step::Card(a, b)),
        2 => (person.clone(), any::<bool>()).prop_map(|(a, b)| Step::See(a, b)),
        1 => person.prop_map(Step::Erase),
        1 => Just(Step::Reopen),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Vec<Act>>> {
    let act = (step(), prop::bool::weighted(0.8)).prop_map(|(step, kept)| Act { step, kept });
    prop::collection::vec(prop::collection::vec(act, 1..4), 1..40)
}

/// Does a step within a write.
fn take(
    tx: &mut Tx<'_>,
    cast: &Cast,
    model: &mut Model,
    step: &Step,
    chance: [u8; 16],
) -> Result<(), StoreError> {
    let product = |who: usize, offering: usize| format!("p-{who}-{offering}");
    let held = |tx: &mut Tx<'_>, who: usize, offering: usize| -> Result<_, StoreError> {
        let all = tx.exchange().list_subscriptions(cast.keys()[who])?;
        Ok(all.into_iter().find(|one| one.offering.as_str() == OFFERINGS[offering]).map(|one| one.id))
    };
    match *step {
        Step::Match(step) => {
            let step =
                if model.allows(step) || step.1 == Verb::Register { step } else { (step.0, Verb::Register) };
            if model.allows(step) {
                model.apply(step);
                cast.act(tx, step, chance)?;
            }
        }
        Step::Subscribe(who, offering, state) => {
            let news = ProductNews {
                product: product(who, offering),
                offering: OfferingId::parse(OFFERINGS[offering]).unwrap(),
                state: STATES[state],
                since: jiff::Timestamp::UNIX_EPOCH,
                referral: None,
            };
            tx.exchange().put_subscription(cast.keys()[who], &news)?;
        }
        Step::Share(who, offering, only) => {
            if let Some(id) = held(tx, who, offering)? {
                let audience = only.map_or(Audience::Matches, |one| Audience::Only(vec![cast.keys()[one]]));
                tx.exchange().share(cast.keys()[who], id, &audience)?;
            }
        }
        Step::Unshare(who, offering) => {
            if let Some(id) = held(tx, who, offering)? {
                tx.exchange().unshare(id)?;
            }
        }
        Step::Card(offering, sensitive) => {
            let known = tx.exchange().find_card(&OfferingId::parse(OFFERINGS[offering]).unwrap())?;
            let version = known.map_or(1, |card| card.offering.version + 1);
            tx.exchange().put_card(&card_of(OFFERINGS[offering], sensitive, version))?;
        }
        Step::See(who, opened) => {
            let viewer = cast.keys()[who];
            for item in tx.friends().list_feed(viewer, &FeedFilter::default(), 2)? {
                tx.exchange().mark_seen(item.share, viewer, opened)?;
            }
        }
        Step::Erase(who) => {
            model.apply((who, Verb::Leave));
            tx.contacts().erase_subscriber(cast.keys()[who])?;
            tx.exchange().erase_person(cast.keys()[who])?;
        }
        Step::Reopen => {}
    }
    Ok(())
}

/// All that the people of a cast can see, asked for in every way.
#[derive(Debug, PartialEq)]
struct Picture {
    matches: Vec<Vec<Match>>,
    pages: Vec<Vec<Match>>,
    pairs: Vec<Option<Match>>,
    feeds: Vec<String>,
}

fn look(friends: &mut FriendsView<'_>, keys: &[ContactKey]) -> Result<Picture, StoreError> {
    let mut picture = Picture { matches: vec![], pages: vec![], pairs: vec![], feeds: vec![] };
    let told = |items: &[FeedItem]| format!("{items:?}");
    for &one in keys {
        picture.matches.push(friends.list_matches(one, None, 100)?);
        let mut after = None;
        while let [next] = friends.list_matches(one, after, 1)?.as_slice() {
            after = Some(next.friend);
            picture.pages.push(vec![next.clone()]);
        }
        for &other in keys {
            picture.pairs.push(friends.find_match(one, other)?);
            let filter = FeedFilter { friend: Some(other), ..FeedFilter::default() };
            picture.feeds.push(told(&friends.list_feed(one, &filter, 100)?));
        }
        for offering in OFFERINGS {
            let offering = Some(OfferingId::parse(offering).unwrap());
            let filter = FeedFilter { offering, ..FeedFilter::default() };
            picture.feeds.push(told(&friends.list_feed(one, &filter, 100)?));
        }
        let all = friends.list_feed(one, &FeedFilter::default(), 100)?;
        picture.feeds.push(told(&all));
        let mut before = None;
        loop {
            let filter = FeedFilter { before, ..FeedFilter::default() };
            let page = friends.list_feed(one, &filter, 2)?;
            let Some(last) = page.last() else { break };
            before = Some(last.share);
            picture.feeds.push(told(&page));
        }
        for item in &all {
            for &viewer in keys {
                let one = friends.find_feed_item(viewer, item.share)?;
                picture.feeds.push(told(one.as_slice()));
            }
        }
    }
    Ok(picture)
}

/// What memory says, and that the rows say the same.
async fn agreed(store: &Store, cast: &Cast) -> Picture {
    let (one, other) = (cast.clone(), cast.clone());
    let memory = store.read_friends::<_, StoreError, _>(move |friends| look(friends, one.keys()));
    let memory = memory.await.unwrap();
    let rows = store.read::<_, StoreError, _>(move |view| look(&mut view.friends(), other.keys()));
    assert_eq!(memory, rows.await.unwrap());
    memory
}

/// Where every history begins: what there is can be lost, and seldom comes about by chance.
async fn everybody_matches_and_shares(bench: &Bench, cast: &Cast, model: &Arc<std::sync::Mutex<Model>>) {
    let mut steps: Vec<Step> = (0..OFFERINGS.len()).map(|offering| Step::Card(offering, false)).collect();
    steps.extend((0..PEOPLE).map(|who| Step::Match((who, Verb::Register))));
    for who in 0..PEOPLE {
        let others = (0..PEOPLE).filter(|other| *other != who);
        steps.extend(others.map(|other| Step::Match((who, Verb::Add(other)))));
        for offering in 0..OFFERINGS.len() {
            steps.push(Step::Subscribe(who, offering, 0));
            steps.push(Step::Share(who, offering, (who % 2 == 0).then_some((who + 1) % PEOPLE)));
        }
    }
    let (cast, model, world) = (cast.clone(), Arc::clone(model), bench.world.clone());
    let write = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        let mut model = model.lock().unwrap();
        steps.iter().try_for_each(|step| take(tx, &cast, &mut model, step, world.bytes()))
    };
    bench.store.write(write).await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn memory_shows_what_the_rows_show_after_any_commits_and_at_every_start(all in acts()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut bench = Bench::embedded();
            let cast = Cast::new(&bench, 1, PEOPLE);
            let model = Arc::new(std::sync::Mutex::new(Model::default()));
            everybody_matches_and_shares(&bench, &cast, &model).await;
            for together in all {
                if together.iter().any(|act| matches!(act.step, Step::Reopen)) {
                    bench = bench.reopen().await;
                }
                // Those of one moment come into one commit, some of them undone in it.
                let writes = together.into_iter().map(|act| {
                    let (cast, model, chance) = (cast.clone(), Arc::clone(&model), bench.world.bytes());
                    bench.store.write::<(), StoreError, _>(move |tx| {
                        let mut model = model.lock().unwrap();
                        let before = model.clone();
                        take(tx, &cast, &mut model, &act.step, chance)?;
                        if act.kept { Ok(()) } else {
                            *model = before;
                            Err(StoreError::new(store::Kind::Internal, "undone after all"))
                        }
                    })
                });
                futures::future::join_all(writes).await;
                agreed(&bench.store, &cast).await;
            }
            let before = agreed(&bench.store, &cast).await;
            let bench = bench.reopen().await;
            assert_eq!(agreed(&bench.store, &cast).await, before);
            assert_eq!(wrong_matches(&bench).await, (0, 0));
        });
    }
}

/// Two people who have each other's numbers.
async fn two(bench: &Bench) -> Cast {
    let (cast, world) = (Cast::new(bench, 1, 2), bench.world.clone());
    let (played, chances) = (cast.clone(), [world.bytes(), world.bytes(), world.bytes(), world.bytes()]);
    let steps = [(0, Verb::Register), (1, Verb::Register), (0, Verb::Upload(1)), (1, Verb::Upload(0))];
    let write = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        steps.iter().zip(chances).try_for_each(|(step, chance)| played.act(tx, *step, chance).map(drop))
    };
    bench.store.write(write).await.unwrap();
    cast
}

async fn do_one(bench: &Bench, cast: &Cast, step: match_model::Step) {
    let (cast, chance) = (cast.clone(), bench.world.bytes());
    bench.store.write::<_, StoreError, _>(move |tx| cast.act(tx, step, chance).map(drop)).await.unwrap();
}

async fn sees(store: &Store, cast: &Cast) -> bool {
    let (one, other) = (cast.keys()[0], cast.keys()[1]);
    let read = move |friends: &mut FriendsView<'_>| friends.find_match(one, other);
    store.read_friends::<_, StoreError, _>(read).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_an_acknowledged_commit_took_away_is_read_by_nobody_and_no_reader_sees_half_of_one() {
    let bench = Bench::embedded();
    let cast = two(&bench).await;
    let ended = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (store, cast, ended) = (bench.store.clone(), cast.clone(), Arc::clone(&ended));
            tokio::spawn(async move {
                let mut looks = 0_u64;
                while !ended.load(Ordering::Relaxed) {
                    let keys = [cast.keys()[0], cast.keys()[1]];
                    let both = store.read_friends::<_, StoreError, _>(move |friends| {
                        Ok([friends.find_match(keys[0], keys[1])?, friends.find_match(keys[1], keys[0])?])
                    });
                    let [one, other] = both.await.unwrap();
                    assert_eq!(one.map(|one| one.since), other.map(|other| other.since));
                    looks += 1;
                    tokio::task::yield_now().await;
                }
                looks
            })
        })
        .collect();
    for _ in 0..150 {
        for (step, seen) in [
            ((0, Verb::Hide(1)), false),
            ((0, Verb::Show(1)), true),
            ((1, Verb::Remove(0)), false),
            ((1, Verb::Add(0)), true),
        ] {
            do_one(&bench, &cast, step).await;
            assert_eq!(sees(&bench.store, &cast).await, seen, "after {step:?}");
        }
    }
    ended.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn matches_that_are_not_those_of_the_books_are_put_right_at_start() {
    let bench = Bench::embedded();
    let cast = two(&bench).await;
    let file = bench.path().join("hutong.sqlite");
    bench.store.close().await;
    let raw = rusqlite::Connection::open(&file).unwrap();
    let stranger = 77;
    raw.execute("DELETE FROM matched WHERE owner = $1", [cast.keys()[0].value().cast_signed()]).unwrap();
    raw.execute(
        "INSERT INTO matched (owner, friend, since) VALUES ($1, $2, 0)",
        (cast.keys()[1].value().cast_signed(), stranger),
    )
    .unwrap();
    drop(raw);
    let bench = bench.reopen().await;
    assert!(sees(&bench.store, &cast).await);
    let seen = agreed(&bench.store, &cast).await;
    assert!(seen.matches.iter().all(|matches| matches.len() == 1));
    assert_eq!(wrong_matches(&bench).await, (0, 0));
    let alone: BTreeSet<(usize, usize)> = cast.seen(&bench).await;
    assert_eq!(alone, BTreeSet::from([(0, 1), (1, 0)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_store_answers_nobody_from_memory() {
    let bench = Bench::embedded();
    let cast = two(&bench).await;
    bench.store.close().await;
    let (one, other) = (cast.keys()[0], cast.keys()[1]);
    let read = bench.store.read_friends::<_, StoreError, _>(move |friends| friends.find_match(one, other));
    assert_eq!(read.await.unwrap_err().kind(), store::Kind::Unavailable);
}
